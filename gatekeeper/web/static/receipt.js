// A button for what the browser's own menu does too.
document.documentElement.classList.add("has-script");
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
