"""How long a post is on X: the weighted length of twitter-text's configuration version 3.

Written from the published configuration and its conformance cases (twitter/twitter-text, Apache-2.0). Where this
and the platform could differ, this counts more, never less, so that a post which fits here fits there.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from types import MappingProxyType

LIMIT = 280
_SCALE = 100
_DEFAULT = 200
_URL = 23
_RANGES = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
_LIGHT = 100

# A counter in the page reads the same numbers and the same emoji rule; both are tested against one list of cases.
CONFIG: Mapping[str, object] = MappingProxyType(
    {
        "version": 3,
        "maxWeightedTweetLength": LIMIT,
        "scale": _SCALE,
        "defaultWeight": _DEFAULT,
        "transformedURLLength": _URL,
        "emojiParsingEnabled": True,
        "ranges": [{"start": start, "end": end, "weight": _LIGHT} for start, end in _RANGES],
    }
)

_TLD = (
    "com|org|net|info|biz|edu|gov|mil|int|app|dev|blog|shop|online|site|school|academy|education|news|events|club|xyz|top|link|live|"
    "charity|foundation|community|london|scot|wales|cymru|[a-z]{2}"
)
# With a scheme any host counts as an address. Without one, only names with a known ending do, as on the platform.
_URLS = re.compile(
    r"(?<![@\w$#/.\-])(?:https?://(?:[^\s/?#@:\[\]<>\"']{1,63}\.){1,8}[^\s/?#@:\[\]<>\"'.,;!)]{2,63}(?::\d{1,5})?"
    rf"|(?:[a-z0-9](?:[a-z0-9\-]{{0,61}}[a-z0-9])?\.){{1,8}}(?:{_TLD})(?![\w\-@]|\.[a-z0-9]))"
    r"(?:[/?#][^\s<>\"]{0,2048})?",
    re.IGNORECASE,
)
_CLOSING = ".,;:!?'\")]}’”"
_JOINER, _VARIATION, _KEYCAP = "\u200d", "\ufe0f", "\u20e3"
_EMOJI = re.compile(
    "[\U0001f300-\U0001faff\U0001f000-\U0001f2ff\u2600-\u27bf\u2b05-\u2b55\u231a-\u23ff\u25aa-\u25fe\u2190-\u21ff\u2934\u2935"
    "\u3030\u303d\u3297\u3299\u203c\u2049\u2122\u2139\u24c2\u00a9\u00ae]"
)
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")
_TAGS = re.compile("[\U000e0020-\U000e007f]")


def x_weight(text: str) -> int:
    """The weighted length of a text on X: NFC, an address 23, an emoji 2, most letters of alphabets 1, the rest 2."""
    whole = unicodedata.normalize("NFC", text)
    total = 0
    last = 0
    for start, end in _addresses(whole):
        total += _plain(whole[last:start]) + _URL * _SCALE
        last = end
    return -(-(total + _plain(whole[last:])) // _SCALE)


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for match in _URLS.finditer(text):
        end = match.end()
        while end > match.start() and text[end - 1] in _CLOSING and "/" not in text[end - 1]:
            end -= 1
        yield match.start(), end


def _plain(text: str) -> int:
    total = 0
    at = 0
    while at < len(text):
        end = _emoji_end(text, at)
        if end > at:
            total += _DEFAULT
            at = end
        else:
            point = ord(text[at])
            total += _LIGHT if any(start <= point <= stop for start, stop in _RANGES) else _DEFAULT
            at += 1
    return total


def _emoji_end(text: str, at: int) -> int:
    """Where the emoji that starts here ends, with skin tone, joined parts, flag or keycap; `at` when none starts."""
    end = _emoji_unit(text, at)
    if end == at:
        return at
    while end < len(text) and text[end] == _JOINER:
        joined = _emoji_unit(text, end + 1)
        if joined == end + 1:
            break
        end = joined
    return end


def _emoji_unit(text: str, at: int) -> int:
    if at >= len(text):
        return at
    char, rest = text[at], text[at + 1 : at + 3]
    if char in "0123456789#*":
        if rest.startswith(_VARIATION + _KEYCAP):
            return at + 3
        return at + 2 if rest.startswith(_KEYCAP) else at
    if _FLAG.match(char):
        return at + 2 if rest and _FLAG.match(rest[0]) else at
    if not _EMOJI.match(char):
        return at
    if char in "\u00a9\u00ae" and not rest.startswith(_VARIATION):
        return at
    end = at + 1
    if text[end : end + 1] == _VARIATION:
        end += 1
    if end < len(text) and _SKIN.match(text[end]):
        end += 1
    while end < len(text) and _TAGS.match(text[end]):
        end += 1
    return end
