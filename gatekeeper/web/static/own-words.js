// A channel's own words: shown for the chosen channels, counted as that channel counts, and given up with one button.
import { counter, littleLength } from "./post-form-count.js";

const form = document.getElementById("post-form");
const limits = JSON.parse(form.dataset.limits);
const lengths = { x: counter(JSON.parse(form.dataset.weights)), facebook: (words) => [...words].length, linkedin: littleLength };
const parts = [...form.querySelectorAll("[data-own-words]")].map((part) => ({
  part,
  kind: part.dataset.kind,
  box: document.getElementById(`channel-${part.dataset.ownWords}`),
  field: part.querySelector("textarea"),
  count: part.querySelector("[data-own-count]"),
}));

function draw() {
  for (const { part, kind, box, field, count } of parts) {
    part.hidden = !box?.checked; // what was typed stays, for whoever ticks the channel again
    part.querySelector("[data-own-used]").hidden = !field.value.trim();
    const number = lengths[kind](field.value);
    const over = number > limits[kind];
    count.querySelector("[data-number]").textContent = number.toLocaleString("en-GB");
    count.classList.toggle("over", over);
    count.querySelector("[data-over]").hidden = !over;
  }
  // how long the common text is does not matter to a channel that does not get it
  for (const line of form.querySelectorAll("[data-count-for]")) {
    const chosen = parts.filter((one) => one.kind === line.dataset.countFor && one.box?.checked);
    line.hidden = chosen.length > 0 && chosen.every((one) => one.field.value.trim());
  }
}

for (const { part, field } of parts) {
  part.querySelector("button[value^=common]").addEventListener("click", (event) => {
    event.preventDefault();
    field.value = "";
    part.open = false;
    part.querySelector("summary").focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
form.addEventListener("input", draw);
form.addEventListener("change", draw);
draw();
