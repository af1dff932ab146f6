// X's weighted length, by the figures and patterns of the server (gatekeeper/text/weight.py), which has the last word.
const host = /^(?:https?:\/\/)?([^/?#:]+)/iu;
const letter = /\p{L}/u;
const flag = /[\u{1F1E6}-\u{1F1FF}]{2}/uy;
const firstFlagLetter = 0x1f1e6;

// what the server's patterns call a sign of a word, a digit, and a letter of any case, in this language
const dialect = [["\\w", "\\p{L}\\p{N}_"], ["\\d", "\\p{Nd}"], ["a-z", "a-z\u0130\u0131"]];
const pattern = (words, flags) => new RegExp(dialect.reduce((text, [theirs, ours]) => text.replaceAll(theirs, ours), words), flags);

export function counter(config) {
  const addresses = pattern(config.addresses, "giu");
  const sequences = pattern(config.sequences, "uy");
  const endings = new Set(config.endings);
  const countries = new Set(config.countries);

  function ofAddress(address) {
    const ending = (address.match(host)?.[1] ?? "").split(".").at(-1).toLowerCase();
    const usual = config.transformedURLLength * config.scale;
    return endings.has(ending) || ending.length === 2 ? usual : Math.max(usual, ofWords(address));
  }

  function ofWords(text) {
    let total = 0;
    let at = 0;
    while (at < text.length) {
      const end = endOfSequence(text, at);
      const point = text.codePointAt(at);
      const range = end > at ? null : config.ranges.find(({ start, end: last }) => start <= point && point <= last);
      total += range ? range.weight : config.defaultWeight;
      at = end > at ? end : at + (point > 0xffff ? 2 : 1);
    }
    return total;
  }

  function endOfSequence(text, at) {
    if (letter.test(String.fromCodePoint(text.codePointAt(at)))) return at;
    sequences.lastIndex = flag.lastIndex = at;
    if (sequences.test(text)) return sequences.lastIndex;
    const found = flag.exec(text)?.[0];
    const name = [...(found ?? "")].map((sign) => String.fromCharCode(sign.codePointAt(0) - firstFlagLetter + 65)).join("");
    return countries.has(name) ? at + found.length : at;
  }

  return function weight(words) {
    const text = words.normalize("NFC");
    let total = 0;
    let last = 0;
    for (const found of text.matchAll(addresses)) {
      let end = found.index + found[0].length;
      while (config.closing.includes(text[end - 1])) end -= 1;
      total += ofWords(text.slice(last, found.index)) + ofAddress(text.slice(found.index, end));
      last = end;
    }
    return Math.ceil((total + ofWords(text.slice(last))) / config.scale);
  };
}

// LinkedIn's length: signs with a meaning there are escaped, a hashtag is written out (gatekeeper/channels/little_text.py)
const tag = /(?<![\p{L}\p{N}_&#])#([\p{L}\p{N}_]*\p{L}[\p{L}\p{N}_]*)/gu;
const reserved = /[\\|{}@[\]()<>#*_~]/g;
export const littleLength = (words) => [...words.replace(tag, "{hashtag..#.$1}")].length + (words.replace(tag, "$1").match(reserved) ?? []).length;
