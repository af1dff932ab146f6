// X's weighted length, by the same figures as the server (gatekeeper/text/weight.py), which has the last word.
const schemeUrl = /https?:\/\/[^\s<>"“”„‘’「」]{1,4096}/giu;
const bareUrl = /(?<![\p{L}\p{N}_@.\-/#$])(?:[\p{L}\p{N}](?:[\p{L}\p{N}_-]{0,61}[\p{L}\p{N}])?\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}_@])(?:\/[^\s<>"“”„]{0,4096})?/gu;
const trailing = /[.,:;!?…)'"\]}»]+$/u;
const emoji = /\p{RI}{2}|[0-9#*]\uFE0F?\u20E3|\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?(?:[\u{E0020}-\u{E007E}]+\u{E007F})?(?:\u200D\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?)*/gu;
const textByDefault = /^(?!\p{Emoji_Presentation})\p{Extended_Pictographic}$/u;

export function xWeight(words, config) {
  const text = words.normalize("NFC");
  const links = [];
  for (const pattern of [schemeUrl, bareUrl]) {
    for (const found of text.matchAll(pattern)) {
      const start = found.index;
      const end = start + found[0].replace(trailing, "").length;
      if (end > start && !links.some(([s, e]) => start < e && s < end)) links.push([start, end]);
    }
  }
  links.sort((a, b) => a[0] - b[0]);
  let total = 0;
  let at = 0;
  for (const [start, end] of links) {
    total += plain(text.slice(at, start), config) + config.transformedURLLength;
    at = end;
  }
  return total + plain(text.slice(at), config);
}

function plain(text, config) {
  let total = 0;
  let at = 0;
  for (const found of text.matchAll(emoji)) {
    total += characters(text.slice(at, found.index), config);
    total += textByDefault.test(found[0]) ? characters(found[0], config) : 2;
    at = found.index + found[0].length;
  }
  return total + characters(text.slice(at), config);
}

function characters(text, config) {
  let total = 0;
  for (const character of text) {
    const point = character.codePointAt(0);
    const range = config.ranges.find(({ start, end }) => start <= point && point <= end);
    total += (range ? range.weight : config.defaultWeight) / config.scale;
  }
  return total;
}
