// Comforts for answering faces: keys from one to the next, a light on the one meant, and drawing with mouse or finger.
document.documentElement.classList.add("has-script");

const section = document.querySelector("section.photos");
const open = () => [...section.querySelectorAll("[data-open]")];

// n and p work only while the keyboard is somewhere in this part of the page, and never inside a field
section.addEventListener("keydown", (event) => {
  if (!["n", "p"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) return;
  const list = open();
  if (!list.length) return;
  // from wherever the keyboard is, an answered face included, on to the next on the page; after the last comes the first
  const here = event.target.closest("[data-face-panel]") ?? event.target;
  const isAfter = (one) => here.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING;
  const others = list.filter((one) => one !== here);
  const next = event.key === "n" ? others.find(isAfter) ?? list[0] : others.findLast((one) => !isAfter(one)) ?? list.at(-1);
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
});

// a box and its panel light up together
function light(id, on) {
  for (const part of section.querySelectorAll(`[data-face="${id}"], [data-face-panel="${id}"]`)) part.classList.toggle("lit", on);
}
for (const part of section.querySelectorAll("[data-face], [data-face-panel]")) {
  const id = part.dataset.face ?? part.dataset.facePanel;
  for (const name of ["pointerenter", "focusin"]) part.addEventListener(name, () => light(id, true));
  for (const name of ["pointerleave", "focusout"]) part.addEventListener(name, () => light(id, false));
}
section.addEventListener("click", (event) => {
  const box = event.target.closest("a.box");
  if (box) document.getElementById(`face-${box.dataset.face}`)?.focus({ preventScroll: true });
});

for (const photo of section.querySelectorAll("[data-photo]")) enableDrawing(photo);

function enableDrawing(photo) {
  const form = photo.querySelector("[data-box-form]");
  if (!form) return;
  const figure = photo.querySelector("[data-figure]");
  const svg = figure.querySelector("svg");
  const button = form.querySelector("[data-draw]");
  const [width, height] = [Number(photo.dataset.width), Number(photo.dataset.height)];
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  rect.setAttribute("class", "drawn");
  rect.setAttribute("vector-effect", "non-scaling-stroke");
  let start = null;

  button.addEventListener("click", () => {
    const on = figure.classList.toggle("drawing");
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Stop drawing" : "Draw on the photo";
    if (on) figure.scrollIntoView({ block: "nearest" });
  });

  const point = (event) => {
    const frame = svg.getBoundingClientRect();
    const share = (value) => Math.min(Math.max(value, 0), 1);
    return [share((event.clientX - frame.left) / frame.width), share((event.clientY - frame.top) / frame.height)];
  };
  svg.addEventListener("pointerdown", (event) => {
    if (!figure.classList.contains("drawing")) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    start = point(event);
    svg.append(rect);
  });
  svg.addEventListener("pointermove", (event) => {
    if (start) fill(start, point(event));
  });
  svg.addEventListener("pointerup", (event) => {
    if (!start) return;
    fill(start, point(event));
    start = null;
    form.querySelector("button[name=do]").focus({ preventScroll: true });
  });
  svg.addEventListener("pointercancel", () => (start = null));
  form.addEventListener("input", () => {
    const [left, top, right, bottom] = ["left", "top", "right", "bottom"].map((side) => parseFloat(form.elements[side].value) / 100);
    if (![left, top, right, bottom].some(Number.isNaN)) show([left, top], [right, bottom]);
  });

  function fill(one, other) {
    const [left, right] = [one[0], other[0]].sort((a, b) => a - b);
    const [top, bottom] = [one[1], other[1]].sort((a, b) => a - b);
    for (const [side, value] of Object.entries({ left, top, right, bottom })) form.elements[side].value = (value * 100).toFixed(1);
    show([left, top], [right, bottom]);
  }
  function show([left, top], [right, bottom]) {
    if (!rect.isConnected) svg.append(rect);
    rect.setAttribute("x", left * width);
    rect.setAttribute("y", top * height);
    rect.setAttribute("width", Math.max(right - left, 0) * width);
    rect.setAttribute("height", Math.max(bottom - top, 0) * height);
  }
}
