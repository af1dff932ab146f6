// Small comforts for every page. Nothing here is needed: every page works without it.

// a summary of errors is read first
document.querySelector(".errors-summary")?.focus();

// an open small menu closes when the keyboard or a click leaves it, and on Escape
const menu = document.querySelector(".small-menu");
if (menu) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

// a form goes once, however often its button is pressed
document.addEventListener("submit", (event) => {
  const form = event.target;
  // after a download the page stays, so that form may go again
  if (event.defaultPrevented || form.method === "get" || "download" in form.dataset) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // back in the browser's history the form is fresh again
  window.addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
});
