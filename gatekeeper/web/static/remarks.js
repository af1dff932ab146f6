// Marks words, a face, a photo or another place of the post, to say there what should change. Each mark is a place in the
// spelling of the server and a field for words; without this script the same is chosen from a list.

const box = document.querySelector("[data-remarks]");
const MARKABLE = ".sketch-text, section.who .as-typed";

if (box) begin();

function begin() {
  const texts = JSON.parse(box.dataset.texts);
  const list = box.querySelector("[data-list]");
  const aloud = box.querySelector("[data-said]");
  const choice = box.querySelector("#remark-choice");
  let next = Number(box.dataset.next);
  box.classList.add("remarks-live");
  box.querySelector("[data-choose]").hidden = false;

  // Python counts code points, a browser counts halves of them where a sign lies beyond the first 65,536
  const points = (text) => [...text].length;
  const part = (text, start, end) => [...text].slice(start, end).join("");

  function labelOf(where) {
    const [kind, photo, face, number] = where.split(":");
    if (kind === "text") return "Text";
    if (kind === "wording") return [...choice.options].find((option) => where.startsWith(`${option.value}:`))?.text ?? "Words";
    if (kind === "alt") return `Description of photo ${photo}`;
    if (kind === "photo") return face ? `Photo ${photo}, face ${number}` : `Photo ${photo}`;
    return kind === "time" ? "Time" : "Channels";
  }

  function quoteOf(where) {
    const found = /^(text|wording:[a-z]+:\d+|alt:\d+):(\d+)-(\d+)$/.exec(where);
    return found ? part(texts[found[1]], Number(found[2]), Number(found[3])) : "";
  }

  // ---- the list of marks ----
  function furnish(row, from) {
    const words = row.querySelector("textarea");
    const buttons = make("p", { className: "remark-buttons" });
    const remove = make("button", { type: "button", className: "btn btn-link btn-sm", textContent: "Take this mark away" });
    remove.addEventListener("click", () => takeAway(row));
    buttons.append(remove);
    if (from) {
      const back = make("button", { type: "button", className: "btn btn-link btn-sm", textContent: "Back to where I was" });
      back.addEventListener("click", () => {
        from.scrollIntoView({ block: "center" });
        if (from.matches("button, a, [tabindex]")) from.focus({ preventScroll: true });
      });
      buttons.append(back);
    }
    words.after(buttons);
  }

  function takeAway(row) {
    const parts = [...row.children];
    for (const one of row.querySelectorAll("input, textarea")) one.disabled = true; // what is disabled is not sent
    for (const one of parts) one.hidden = true;
    const gone = make("p", { className: "remark-gone", textContent: `Mark taken away: ${labelOf(row.dataset.remark)}. ` });
    const undo = make("button", { type: "button", className: "btn btn-outline-secondary btn-sm", textContent: "Undo" });
    undo.addEventListener("click", () => {
      gone.remove();
      for (const one of parts) one.hidden = false;
      for (const one of row.querySelectorAll("input, textarea")) one.disabled = false;
      row.querySelector("textarea").focus();
      draw();
    });
    gone.append(undo);
    row.append(gone);
    undo.focus();
    draw();
  }

  const standing = () => [...list.children].filter((row) => !row.querySelector("textarea").disabled);

  function add(where, from) {
    const same = standing().find((row) => row.dataset.remark === where);
    const row = same ?? fresh(where, from);
    if (document.getElementById("changes") && location.hash !== "#changes") location.hash = "changes"; // unfolds the answer
    getSelection().removeAllRanges();
    hide();
    const words = row.querySelector("textarea");
    words.focus({ preventScroll: true });
    row.scrollIntoView({ block: "center" });
    aloud.textContent = `Marked: ${labelOf(where)}${quoteOf(where) ? `, “${quoteOf(where).slice(0, 80)}”` : ""}. Say what should change here.`;
    draw();
  }

  function fresh(where, from) {
    const number = next++;
    const row = make("li", { className: "remark" });
    row.dataset.remark = where;
    const place = make("p", { className: "remark-place" });
    place.append(make("strong", { textContent: labelOf(where) }));
    if (quoteOf(where)) {
      const quote = quoteOf(where);
      place.append(" ", make("q", { dir: "auto", textContent: quote.length > 160 ? `${quote.slice(0, 157)}…` : quote }));
    }
    const field = `mark-words-${number}`;
    row.append(
      place,
      make("input", { type: "hidden", name: `mark-where-${number}`, value: where }),
      make("label", { className: "form-label", htmlFor: field, textContent: "What should change here?" }),
      make("textarea", { className: "form-control", id: field, name: field, rows: 2, maxLength: 2000 }),
    );
    list.append(row);
    furnish(row, from);
    return row;
  }

  for (const row of list.children) furnish(row, null);

  // ---- words: a selection, by whatever means, and a button beside it ----
  const float = make("span", { className: "remark-float", hidden: true });
  const press = make("button", { type: "button", className: "btn btn-primary", textContent: "Mark these words" });
  float.append(press);
  let chosen = null;

  // a preview shows the common text or a channel's own words; whose words these are is told by the words themselves
  function publicField(shown) {
    const fields = Object.keys(texts).filter((field) => texts[field] && !field.startsWith("alt:"));
    return fields.find((field) => texts[field] === shown) ?? fields.find((field) => shown.includes(texts[field])) ?? null;
  }

  function fieldOf(element) {
    if (element.matches(".sketch-text")) return publicField(element.textContent);
    const number = /^photo-(\d+)$/.exec(element.closest("section.who")?.getAttribute("aria-labelledby") ?? "")?.[1];
    return number && texts[`alt:${number}`] && element.textContent.includes(texts[`alt:${number}`]) ? `alt:${number}` : null;
  }

  // the selected words as a place in the field, or null where they cannot be told for certain
  function placeOf(range, element, field) {
    const whole = texts[field];
    const inside = document.createRange();
    inside.selectNodeContents(element);
    inside.setEnd(range.startContainer, range.startOffset);
    const picked = range.toString();
    const shift = element.textContent.indexOf(whole);
    let start = shift < 0 ? whole.indexOf(picked) : inside.toString().length - shift;
    if (shift < 0 && (start < 0 || whole.includes(picked, start + 1))) return null;
    let end = Math.min(start + picked.length, whole.length);
    start = Math.max(start, 0);
    while (start < end && /\s/.test(whole[start])) start += 1;
    while (end > start && /\s/.test(whole[end - 1])) end -= 1;
    return start < end ? `${field}:${points(whole.slice(0, start))}-${points(whole.slice(0, end))}` : null;
  }

  function hide() {
    float.hidden = true;
    chosen = null;
  }

  function look() {
    if (float.contains(document.activeElement)) return;
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return hide();
    const range = selection.getRangeAt(0);
    const holder = range.commonAncestorContainer;
    const element = (holder.nodeType === Node.ELEMENT_NODE ? holder : holder.parentElement)?.closest(MARKABLE);
    const field = element && fieldOf(element);
    const where = field && placeOf(range, element, field);
    if (!where) return hide();
    chosen = { where, element };
    if (float.previousElementSibling !== element) element.after(float); // the next stop of the Tab key
    float.hidden = false;
    const at = range.getBoundingClientRect();
    const home = (float.offsetParent ?? document.body).getBoundingClientRect();
    const left = Math.min(Math.max(at.left, 8), document.documentElement.clientWidth - float.offsetWidth - 8);
    float.style.left = `${left - home.left}px`;
    float.style.top = `${at.bottom - home.top + 8}px`; // below: a phone's own menu stands above
  }

  let waiting = 0;
  document.addEventListener("selectionchange", () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, 120);
  });
  press.addEventListener("pointerdown", (event) => event.preventDefault()); // the selection stays
  press.addEventListener("click", () => chosen && add(chosen.where, chosen.element));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });

  // ---- faces and photos: a button at each ----
  function offer(where, words, put) {
    const button = make("button", { type: "button", className: "btn btn-link btn-sm remark-offer" });
    button.append(make("span", { ariaHidden: "true", textContent: "✎ " }), "Mark", make("span", { className: "visually-hidden", textContent: ` ${words}` }));
    button.addEventListener("click", () => add(where, button));
    put(button);
  }
  const known = new Set([...choice.options].map((option) => option.value));
  for (const section of document.querySelectorAll("section.who")) {
    const photo = /^photo-(\d+)$/.exec(section.getAttribute("aria-labelledby") ?? "")?.[1];
    if (!known.has(`photo:${photo}`)) continue;
    offer(`photo:${photo}`, `photo ${photo}`, (button) => section.querySelector("h3").after(button));
    for (const panel of section.querySelectorAll(`[id^="photo-${photo}-face-"]`)) {
      const face = panel.id.split("-").at(-1);
      if (known.has(`photo:${photo}:face:${face}`)) {
        offer(`photo:${photo}:face:${face}`, `face ${face} in photo ${photo}`, (button) => (panel.lastElementChild ?? panel).append(button));
      }
    }
  }
  for (const quick of box.querySelectorAll("[data-place]")) quick.addEventListener("click", () => add(quick.dataset.place, quick));

  // ---- any place, from the list ----
  const words = box.querySelector("[data-quote]");
  const which = box.querySelector("[data-which]");
  const hasWords = () => choice.value in texts;
  const fit = () => (which.hidden = !hasWords());
  choice.addEventListener("change", fit);
  fit();
  const button = box.querySelector("[data-add]");
  const trouble = box.querySelector("[data-trouble]");
  button.addEventListener("click", () => {
    trouble.hidden = true;
    if (!hasWords()) return add(choice.value, button);
    const whole = texts[choice.value];
    const asked = words.value.trim().split(/\s+/).filter(Boolean);
    if (!asked.length) return add(`${choice.value}:0-${points(whole)}`, button);
    const pattern = new RegExp(asked.map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s+"), "iu");
    const found = pattern.exec(whole);
    if (!found) {
      trouble.hidden = false;
      return words.focus();
    }
    const start = points(whole.slice(0, found.index));
    words.value = "";
    add(`${choice.value}:${start}-${start + points(found[0])}`, button);
  });
  words.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // Enter decides nothing, it marks
    button.click();
  });

  // ---- what is marked can be seen where it stands ----
  function draw() {
    const marked = new Set(standing().map((row) => row.dataset.remark));
    for (const shape of document.querySelectorAll("[data-shape]")) {
      const [, photo, face] = /^photo-(\d+)-face-(\d+)$/.exec(shape.dataset.shape) ?? [];
      shape.classList.toggle("lit", marked.has(`photo:${photo}:face:${face}`));
    }
    if (!window.CSS?.highlights) return;
    const ranges = [];
    for (const where of marked) {
      const found = /^(text|wording:[a-z]+:\d+|alt:\d+):(\d+)-(\d+)$/.exec(where);
      if (!found) continue;
      for (const element of document.querySelectorAll(MARKABLE)) {
        if (fieldOf(element) !== found[1]) continue;
        const range = rangeIn(element, texts[found[1]], Number(found[2]), Number(found[3]));
        if (range) ranges.push(range);
      }
    }
    CSS.highlights.set("remark", new Highlight(...ranges));
  }

  function rangeIn(element, whole, start, end) {
    const shift = element.textContent.indexOf(whole);
    if (shift < 0) return null;
    const edges = [start, end].map((count) => shift + part(whole, 0, count).length);
    const range = document.createRange();
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let at = 0;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const length = node.data.length;
      if (edges[0] >= at && edges[0] <= at + length) range.setStart(node, edges[0] - at);
      if (edges[1] >= at && edges[1] <= at + length) {
        range.setEnd(node, edges[1] - at);
        return range;
      }
      at += length;
    }
    return null;
  }

  draw();
  look(); // words may have been selected before this script arrived
}

function make(name, properties) {
  return Object.assign(document.createElement(name), properties);
}
