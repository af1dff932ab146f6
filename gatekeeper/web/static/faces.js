// Comforts for answering faces: from one to the next by key or button, and a light on the one that is meant.
document.documentElement.classList.add("has-script");

const section = document.querySelector("section.photos");
const open = () => [...section.querySelectorAll("[data-open]")];

// from wherever the keyboard is, an answered face included, on to the next on the page; after the last comes the first
function go(backwards) {
  const list = open();
  if (!list.length) return;
  const here = document.activeElement?.closest("[data-face-panel]") ?? last ?? section;
  const isAfter = (one) => here.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING && !here.contains(one);
  const others = list.filter((one) => one !== here);
  const after = here === section ? list[0] : others.find(isAfter) ?? list[0];
  const before = here === section ? list.at(-1) : others.findLast((one) => !isAfter(one)) ?? list.at(-1);
  arrive(backwards ? before : after);
}

let last = null; // where n and the button went before, while the keyboard is elsewhere

// on the face's own first control, so that Enter opens it; the photo shows it, too
function arrive(panel) {
  last = panel;
  (panel.querySelector("[data-say] > summary, .face-buttons button") ?? panel).focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" });
  panel.closest("[data-photo]")?.querySelector("[data-picture]")?.dispatchEvent(new CustomEvent("show-shape", { detail: panel.id }));
}

// these keys work only while the keyboard is somewhere in this part of the page, and never inside a field
section.addEventListener("keydown", (event) => {
  if (!["n", "j", "p", "k"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) return;
  event.preventDefault();
  go(event.key === "p" || event.key === "k");
});
section.querySelector("[data-next]")?.addEventListener("click", (event) => {
  event.preventDefault();
  go(false);
});
// an opened face is ready to be typed into, at once, so that no letter is lost
section.addEventListener("click", (event) => {
  const say = event.target.closest("[data-say] > summary")?.parentElement;
  if (!say || say.open) return;
  event.preventDefault();
  say.open = true;
  say.querySelector("[data-first]").focus();
});

// a box and its panel light up together
function light(id, on) {
  for (const part of section.querySelectorAll(`[data-shape="${id}"], [data-face-panel="${id.replace("face-", "")}"]`)) part.classList.toggle("lit", on);
}
for (const part of section.querySelectorAll("[data-shape], [data-face-panel]")) {
  const id = part.dataset.shape ?? part.id;
  for (const name of ["pointerenter", "focusin"]) part.addEventListener(name, () => light(id, true));
  for (const name of ["pointerleave", "focusout"]) part.addEventListener(name, () => light(id, false));
}
section.addEventListener("click", (event) => {
  const shape = event.target.closest("a.shape");
  const panel = shape && document.getElementById(shape.dataset.shape);
  if (panel) {
    event.preventDefault();
    panel.matches("[data-face-panel]") ? arrive(panel) : panel.focus();
    panel.scrollIntoView({ block: "nearest" });
  }
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).open = true;
});

// after an answer the page comes back with the next face in its address: it is opened, and what is left is said aloud.
// The browser goes to that place last of all, when everything has arrived, so this waits for it.
const asked = location.hash.startsWith("#face-") ? document.getElementById(location.hash.slice(1)) : null;
function begin() {
  const ready = section.querySelector("[autofocus]");
  if (ready) ready.focus(); // a browser that was sent to a place on the page leaves this to us
  else if (asked?.matches("[data-open]")) {
    const say = asked.querySelector("[data-say]");
    if (say) say.open = true;
    arrive(asked);
  }
}
if (document.readyState === "complete") begin();
else addEventListener("load", () => setTimeout(begin), { once: true });
// a new page is silent by itself, so what is left is put where a screen reader listens
const aloud = section.querySelector("[data-left-aloud]");
if (aloud && location.hash) setTimeout(() => (aloud.textContent = document.getElementById("left-count").textContent.trim()), 300);
