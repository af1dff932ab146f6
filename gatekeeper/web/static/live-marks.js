// Marks words behind a text area: the same words lie under it, in the same letters, and only the marks can be seen.

const SAME = [
  "fontFamily", "fontSize", "fontWeight", "fontStyle", "fontVariant", "lineHeight", "letterSpacing", "wordSpacing", "tabSize",
  "textIndent", "textAlign", "textTransform", "direction", "paddingTop", "paddingLeft", "paddingBottom", "paddingRight",
];

// Python counts code points, a browser counts halves of them where a sign lies beyond the first 65,536
export function browserOffset(text, points) {
  let at = 0;
  for (let left = points; left > 0 && at < text.length; left -= 1) at += text.codePointAt(at) > 0xffff ? 2 : 1;
  return at;
}

// where the marks are after an edit: those before and behind it stay with their words, those it touched are gone
export function moved(marks, before, after) {
  if (before === after) return marks;
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const shift = after.length - before.length;
  const end = before.length - tail;
  return marks.flatMap((mark) => {
    if (mark.end <= head) return [mark];
    if (mark.start >= end) return [Object.assign(mark, { start: mark.start + shift, end: mark.end + shift })];
    mark.start = mark.end = null; // its words are being changed
    return [];
  });
}

export class Backdrop {
  constructor(field) {
    this.field = field;
    this.marks = [];
    this.box = document.createElement("div");
    this.box.className = "marks";
    this.box.setAttribute("aria-hidden", "true");
    this.words = document.createElement("div");
    this.box.append(this.words);
    const holder = document.createElement("div");
    holder.className = "marked";
    const focused = document.activeElement === field;
    const { selectionStart, selectionEnd } = field;
    field.replaceWith(holder);
    holder.append(this.box, field);
    if (focused) {
      field.focus({ preventScroll: true });
      field.setSelectionRange(selectionStart, selectionEnd);
    }
    this.text = field.value;
    field.addEventListener("scroll", () => this.follow(), { passive: true });
    field.addEventListener("focus", () => this.fit()); // letters made larger change no box
    new ResizeObserver(() => this.fit()).observe(field);
    this.fit();
  }

  // after an edit; `marks` and `text` are set by whoever knows what was found
  edited() {
    this.marks = moved(this.marks, this.text, this.field.value);
    this.text = this.field.value;
    this.draw();
  }

  draw() {
    const text = this.text;
    const drawn = this.marks.filter((mark) => mark.severity);
    const cuts = [...new Set([0, text.length, ...drawn.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
    const parts = cuts.slice(1).map((end, index) => {
      const piece = text.slice(cuts[index], end);
      const over = drawn.find((mark) => mark.start <= cuts[index] && end <= mark.end);
      if (!over) return piece;
      return Object.assign(document.createElement("mark"), { className: `mark-${over.severity}`, textContent: piece });
    });
    this.words.replaceChildren(...parts, "\n"); // a last line break has a height of its own in a text area
    this.follow();
  }

  follow() {
    this.words.style.transform = `translate(${-this.field.scrollLeft}px, ${-this.field.scrollTop}px)`;
  }

  fit() {
    const look = getComputedStyle(this.field);
    for (const name of SAME) this.words.style[name] = look[name];
    this.words.style.width = `${this.field.clientWidth}px`; // without the scroll bar
    this.box.style.inset = `${this.field.clientTop}px auto auto ${this.field.clientLeft}px`;
    this.box.style.width = `${this.field.clientWidth}px`;
    this.box.style.height = `${this.field.clientHeight}px`;
    this.follow();
  }
}
