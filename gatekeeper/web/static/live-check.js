// Findings while typing: asks the server a moment after the last key, marks the words and lists what was found.
// Typing is never held up; without this script, or without the server, the post is checked when it is sent.
import { Backdrop, browserOffset } from "./live-marks.js";

const PAUSE = 600;
const LATER = 15_000;
const AWAY = "The check while typing is not available; your post will be checked when you send it.";
const form = document.getElementById("post-form");
const address = form.dataset.live;
const spoken = document.getElementById("live-spoken");
const areas = new Map(); // a list of findings by its text area
let timer = 0;
let asked; // the question on its way
let told = 0; // how many findings were last spoken of

class Area {
  constructor(field) {
    this.field = field;
    this.box = field.closest("[data-live-field]");
    this.list = this.box.querySelector("[data-live-list]");
    this.calm = this.box.querySelector("[data-live-calm]");
    this.backdrop = new Backdrop(field);
    this.box.querySelector("[data-live]").hidden = false;
  }

  show(findings, text) {
    const changed = this.field.value !== text; // typed on while the answer was on its way: its places are moved along
    const marks = findings.filter((one) => one.start !== null && !one.field.endsWith(".file"));
    const instead = marks.map((one) => one.suggestion).filter(Boolean);
    for (const span of [...marks, ...instead]) {
      span.start = browserOffset(text, span.start);
      span.end = browserOffset(text, span.end);
    }
    // what a suggestion would replace moves with the text like the marks, and is not drawn
    this.backdrop.text = text;
    this.backdrop.marks = [...marks, ...instead];
    if (changed) this.backdrop.edited();
    else this.backdrop.draw();
    this.fill(findings);
  }

  // what is the same keeps its line, so that nothing flickers and the keyboard's place is not lost
  fill(findings) {
    const old = new Map([...this.list.children].map((line) => [line.dataset.key, line]));
    const seen = new Map();
    const lines = findings.map((finding) => {
      const base = [finding.rule, finding.field, finding.quote, finding.sentence, finding.severity].join("|");
      seen.set(base, (seen.get(base) ?? 0) + 1);
      const key = `${base}|${seen.get(base)}`;
      const line = old.get(key) ?? this.line(key, finding);
      line.finding = finding;
      this.offer(line);
      return line;
    });
    const kept = new Set(lines);
    const focused = this.list.contains(document.activeElement) && document.activeElement.closest("li");
    for (const line of [...this.list.children]) if (!kept.has(line)) line.remove();
    lines.forEach((line, index) => {
      if (this.list.children[index] !== line) this.list.insertBefore(line, this.list.children[index] ?? null);
    });
    if (focused && !kept.has(focused)) this.field.focus({ preventScroll: true });
    const count = findings.filter((one) => one.severity !== "todo").length;
    const calm = this.field.value.trim() ? "Nothing found so far." : "What is found in your words is shown here.";
    this.calm.textContent = count ? `${many(count)}` : calm;
  }

  line(key, finding) {
    const line = document.createElement("li");
    line.className = `live-finding live-${finding.severity}`;
    line.dataset.key = key;
    const head = put(line, "p", "live-head");
    const badge = put(head, "span", `live-badge live-badge-${finding.severity}`);
    put(badge, "span", "live-sign", finding.sign).setAttribute("aria-hidden", "true");
    badge.append(finding.word);
    const sentence = put(line, "p", "live-sentence", `${finding.sentence} `);
    const from = [finding.clause && `Policy ${finding.clause}`, finding.field.endsWith(".file") && finding.place];
    put(sentence, "span", "live-clause", from.filter(Boolean).join(" · "));
    put(line, "p", "live-buttons");
    if (finding.start !== null && !finding.field.endsWith(".file")) {
      const show = button(head, "Show", () => this.select(line.finding.start, line.finding.end));
      put(show, "span", "visually-hidden", ` ${finding.quote}`);
    }
    return line;
  }

  // the other wording, kept in step with what stands around the words
  offer(line) {
    const buttons = line.querySelector(".live-buttons");
    const instead = line.finding.suggestion;
    let use = buttons.querySelector("[data-use]");
    if (!instead) return use?.remove();
    if (!use) {
      use = button(buttons, "Use this wording: ", () => this.use(line.finding.suggestion));
      use.dataset.use = "";
      put(use, "q", "", "");
      put(use, "span", "", "").dataset.instead = "";
    }
    const words = instead.words.trim();
    if (use.querySelector("q").textContent !== words) use.querySelector("q").textContent = words;
    // which words it would replace, where the finding quotes more than these
    const replaced = instead.start === null ? "" : this.field.value.slice(instead.start, instead.end).trim();
    const told = replaced && replaced !== line.finding.quote ? ` instead of “${replaced}”` : "";
    const span = use.querySelector("[data-instead]");
    if (span.textContent !== told) span.textContent = told;
  }

  select(start, end) {
    this.field.focus();
    if (start !== null) this.field.setSelectionRange(start, end);
  }

  use({ start, end, words }) {
    this.select(start, end);
    if (start === null) return; // its words were changed meanwhile
    // the browser's own way of typing: Ctrl+Z takes it back
    if (!document.execCommand("insertText", false, words)) {
      this.field.setRangeText(words, start, end, "end");
      this.field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    clearTimeout(timer);
    ask();
  }
}

function put(parent, tag, className, text = "") {
  const made = Object.assign(document.createElement(tag), { className, textContent: text });
  parent.append(made);
  return made;
}

function button(parent, words, act) {
  const made = put(parent, "button", "btn btn-outline-secondary btn-sm", words);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

const many = (count) => `${count} finding${count === 1 ? "" : "s"}`;
const cards = () => [...form.querySelectorAll("[data-photo]")];
const owns = () => [...form.querySelectorAll("[data-own-words]")];
const altOf = (card) => card.querySelector("[data-live-field] textarea");

function watch() {
  for (const field of form.querySelectorAll("[data-live-field] textarea")) {
    if (!areas.has(field)) areas.set(field, new Area(field));
  }
}

function question() {
  return {
    text: form.elements.text.value,
    photos: cards().map((card) => ({ id: Number(card.dataset.photo), alt: altOf(card).value })),
    channels: [...form.querySelectorAll("input[name=channels]:checked")].map((box) => Number(box.value)),
    wordings: owns().map((own) => ({ channel: Number(own.dataset.ownWords), text: own.querySelector("textarea").value })),
  };
}

async function ask() {
  asked?.abort();
  const mine = (asked = new AbortController());
  const words = question();
  const at = (field, text, own) => ({ field, text, own });
  const places = [
    at(form.elements.text, words.text, (name) => !/^(images\[|wording:)/.test(name)),
    ...cards().map((card, index) => at(altOf(card), words.photos[index].alt, (name) => name.startsWith(`images[${index}].`))),
    ...owns().map((own, index) => {
      const field = `wording:${own.dataset.kind}:${own.dataset.ownWords}`;
      return at(own.querySelector("textarea"), words.wordings[index].text, (name) => name === field);
    }),
  ];
  try {
    const answer = await fetch(address, {
      method: "POST",
      body: JSON.stringify(words),
      headers: {
        Accept: "application/json",
        "Content-Type": "application/json",
        "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content,
      },
      signal: mine.signal,
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const { findings } = await answer.json();
    if (mine !== asked) return;
    away(false);
    for (const { field, text, own } of places) {
      areas.get(field)?.show(findings.filter((one) => own(one.field)), text);
    }
    speak(findings.filter((one) => one.severity !== "todo").length);
  } catch (error) {
    if (error.name === "AbortError" || mine !== asked) return;
    away(true);
    soon(LATER);
  }
}

function away(is) {
  const note = document.getElementById("live-away");
  if (note.textContent !== (is ? AWAY : "")) note.textContent = is ? AWAY : "";
}

// a screen reader hears the change of the number, never the keys
function speak(count) {
  if (count === told) return;
  told = count;
  spoken.textContent = count ? `${many(count)} in your words.` : "Nothing is found in your words any more.";
}

function soon(wait = PAUSE) {
  clearTimeout(timer);
  timer = setTimeout(ask, wait);
}

form.addEventListener("input", (event) => {
  areas.get(event.target)?.backdrop.edited();
  if (event.target.type === "file" || event.isComposing) return; // half a word of an input method is no word yet
  if (areas.has(event.target) || event.target.name === "channels") soon();
});
form.addEventListener("compositionend", () => soon());
form.addEventListener("photos-changed", () => {
  watch();
  soon();
});
watch();
if (form.elements.text.value.trim() || cards().length) ask();
else areas.get(form.elements.text).fill([]);
