// Keeps the sketches on the form in step with what is typed.
const form = document.getElementById("post-form");
const text = form.elements.text;
const link = /https?:\/\/\S+|(?<!\S)[#@][\p{L}\p{N}_]+/gu;

function draw() {
  const chosen = new Set([...form.querySelectorAll("input[name=channels]:checked")].map((box) => box.value));
  for (const sketch of form.querySelectorAll("[data-sketch]")) {
    sketch.hidden = !chosen.has(sketch.dataset.sketch);
    const place = sketch.querySelector("[data-sketch-text]");
    const own = form.elements[`wording_${sketch.dataset.sketch}`]?.value ?? "";
    place.replaceChildren(...withLinks(own.trim() ? own : text.value));
    drawPhotos(sketch.querySelector("[data-sketch-photos]"));
  }
  form.querySelector("[data-sketch-none]").hidden = chosen.size > 0;
}

function withLinks(words) {
  const parts = [];
  let at = 0;
  for (const found of words.matchAll(link)) {
    parts.push(words.slice(at, found.index));
    const span = document.createElement("span");
    span.className = "sketch-link";
    span.textContent = found[0];
    parts.push(span);
    at = found.index + found[0].length;
  }
  parts.push(words.slice(at));
  return parts;
}

function drawPhotos(place) {
  const cards = [...form.querySelectorAll("[data-photo]")];
  const same = [...place.querySelectorAll("img")].map((img) => img.src).join() === cards.map((card) => card.querySelector("img").src).join();
  if (!same) {
    const grid = document.createElement("div");
    grid.className = `sketch-photos sketch-photos-${Math.min(cards.length, 4)}`;
    for (const card of cards) grid.append(card.querySelector("img").cloneNode());
    place.replaceChildren(...(cards.length ? [grid] : []));
  }
  // what is typed as a description is what the sketch says to those who cannot see it
  [...place.querySelectorAll("img")].forEach((img, index) => (img.alt = cards[index].querySelector("textarea")?.value ?? ""));
}

form.addEventListener("input", draw);
form.addEventListener("change", draw);
form.addEventListener("photos-changed", draw);
draw();
