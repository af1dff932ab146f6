// Makes a picture larger inside its own window, with its boxes: buttons, or + - 0 while the keyboard is in it.
// One finger or the scroll bars move it; what is drawn over it lies on the same sheet, so it stays where it belongs.
document.documentElement.classList.add("has-script");

const STEPS = [1, 1.5, 2, 3, 4, 6, 8];

export function enableZoom(picture) {
  const frame = picture.querySelector("[data-window]");
  const sheet = picture.querySelector("[data-figure]");
  const now = picture.querySelector("[data-zoom-now]");
  if (!now) return;
  const svg = sheet.querySelector("svg");
  let step = 0;

  function zoomTo(next, middle) {
    next = Math.min(Math.max(next, 0), STEPS.length - 1);
    if (next === step) return;
    // the same spot stays in the middle of the window
    const at = middle ?? [(frame.scrollLeft + frame.clientWidth / 2) / sheet.clientWidth, (frame.scrollTop + frame.clientHeight / 2) / sheet.clientHeight];
    step = next;
    sheet.style.width = `${STEPS[step] * 100}%`;
    frame.scrollLeft = at[0] * sheet.clientWidth - frame.clientWidth / 2;
    frame.scrollTop = at[1] * sheet.clientHeight - frame.clientHeight / 2;
    now.textContent = `${STEPS[step] * 100} %`;
    // a window that scrolls can be scrolled by keyboard
    if (step) {
      frame.tabIndex = 0;
      frame.setAttribute("role", "group");
      frame.setAttribute("aria-label", "Enlarged photo, move it with the arrow keys");
    } else for (const name of ["tabindex", "role", "aria-label"]) frame.removeAttribute(name);
    for (const button of picture.querySelectorAll("[data-zoom]")) {
      button.setAttribute("aria-disabled", String(button.dataset.zoom === "in" ? step === STEPS.length - 1 : step === 0));
    }
  }

  const change = { in: () => zoomTo(step + 1), out: () => zoomTo(step - 1), fit: () => zoomTo(0) };
  for (const button of picture.querySelectorAll("[data-zoom]")) {
    button.setAttribute("aria-disabled", String(button.dataset.zoom !== "in"));
    button.addEventListener("click", change[button.dataset.zoom]);
  }
  picture.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const meant = { "+": "in", "=": "in", "-": "out", 0: "fit" }[event.key];
    if (!meant) return;
    event.preventDefault();
    change[meant]();
  });
  // whoever asks for one box while the photo is large gets to see that box
  picture.addEventListener("show-shape", (event) => {
    if (!step) return;
    const shape = svg.querySelector(`[data-shape="${event.detail}"] .shape-line`)?.getBBox();
    if (!shape) return;
    const { width, height } = svg.viewBox.baseVal;
    frame.scrollLeft = ((shape.x + shape.width / 2) / width) * sheet.clientWidth - frame.clientWidth / 2;
    frame.scrollTop = ((shape.y + shape.height / 2) / height) * sheet.clientHeight - frame.clientHeight / 2;
  });
}

for (const picture of document.querySelectorAll("[data-picture]")) enableZoom(picture);
