// Drawing on a photo with mouse or finger: fills in the corners of its form, which also can be typed.
for (const photo of document.querySelectorAll("[data-photo]")) enableDrawing(photo);

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
    if (on) figure.closest("[data-picture]").scrollIntoView({ block: "nearest" });
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
