"""How long a text is as X counts it: weighted, with links and emoji at a fixed price.

Source of the rules: the platform's published configuration v3 (twitter-text, `config/v3.json`, Apache-2.0): a character
inside the light ranges weighs 1, any other 2, an emoji sequence 2 whatever its parts, a link 23, and the text is
normalised to NFC first. Where the platform's own parser knows more than we do (which names are real top-level
domains), this counts more rather than less: an author who cuts a word too many loses nothing, a refused post does.
"""

import re
import unicodedata
from typing import Any, Final

CONFIG: Final[dict[str, Any]] = {
    "version": 3,
    "maxWeightedTweetLength": 280,
    "scale": 100,
    "defaultWeight": 200,
    "emojiParsingEnabled": True,
    "transformedURLLength": 23,
    "ranges": [
        {"start": 0, "end": 4351, "weight": 100},
        {"start": 8192, "end": 8205, "weight": 100},
        {"start": 8208, "end": 8223, "weight": 100},
        {"start": 8242, "end": 8247, "weight": 100},
    ],
}

MAX_WEIGHT: Final = int(CONFIG["maxWeightedTweetLength"])
_URL_WEIGHT: Final = int(CONFIG["transformedURLLength"])
_LIGHT: Final = tuple((r["start"], r["end"]) for r in CONFIG["ranges"])

_SCHEME_URL = re.compile(r"https?://[^\s<>\"“”„‘’「」]{1,4096}", re.IGNORECASE)
_BARE_URL = re.compile(
    r"(?<![\w@.\-/#$])(?:[^\W_](?:[\w\-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w@])(?:/[^\s<>\"“”„]{0,4096})?"
)
_TRAILING = ".,:;!?…)'\"]}»"

_PICTOGRAPH = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_MODIFIER = "\U0001f3fb-\U0001f3ff"
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
_TAGGED = f"[{_PICTOGRAPH}][\U000e0020-\U000e007e]{{1,8}}\U000e007f"
_KEYCAP = "[0-9#*]\ufe0f?\u20e3"
_ONE = f"[{_PICTOGRAPH}](?:\ufe0f|[{_MODIFIER}])?"
_EMOJI = re.compile(f"{_FLAG}|{_TAGGED}|{_KEYCAP}|{_ONE}(?:\u200d{_ONE}){{0,9}}")
#: characters that are drawn as text unless the emoji selector follows; alone they weigh what their range says
_TEXT_BY_DEFAULT = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u24c2\u25aa-\u25fe\u2600-\u27bf\u3030\u303d\u3297\u3299]"
)


def x_weight(text: str) -> int:
    """The length of a text as X counts it; 280 is the most a post takes. Never raises."""
    folded = unicodedata.normalize("NFC", text)
    total, at = 0, 0
    for start, end in _links(folded):
        total += _plain_weight(folded[at:start]) + _URL_WEIGHT
        at = end
    return total + _plain_weight(folded[at:])


def _links(text: str) -> list[tuple[int, int]]:
    """Where links stand, none inside another."""
    found: list[tuple[int, int]] = []
    for pattern in (_SCHEME_URL, _BARE_URL):
        for match in pattern.finditer(text):
            start, end = match.start(), match.start() + len(match.group().rstrip(_TRAILING))
            if end > start and not any(start < e and s < end for s, e in found):
                found.append((start, end))
    return sorted(found)


def _plain_weight(text: str) -> int:
    total, at = 0, 0
    for match in _EMOJI.finditer(text):
        total += sum(_character_weight(c) for c in text[at : match.start()])
        emoji = match.group()
        # a lone text-style sign counts by its range, which is never less than an emoji's price above U+10FF
        total += _character_weight(emoji) if len(emoji) == 1 and _TEXT_BY_DEFAULT.match(emoji) else 2
        at = match.end()
    return total + sum(_character_weight(c) for c in text[at:])


def _character_weight(character: str) -> int:
    point = ord(character)
    return 1 if any(start <= point <= end for start, end in _LIGHT) else 2
