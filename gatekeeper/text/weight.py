"""How long a post is on X: the weighted length of twitter-text's configuration version 3.

Written from the published configuration and its conformance cases (twitter/twitter-text, Apache-2.0). Where this
and the platform could differ, this counts more, never less, so that a post which fits here fits there: an address
with an ending we do not know counts in full, and an emoji sequence we do not know counts part by part.
"""

import re
import unicodedata
from collections.abc import Iterator

LIMIT = 280
_SCALE = 100
_LIGHT, _DEFAULT = 100, 200
_URL = 23
_RANGES = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

# A counter in the page reads the same figures; the server has the last word.
CONFIG: dict[str, object] = {
    "version": 3,
    "maxWeightedTweetLength": LIMIT,
    "scale": _SCALE,
    "defaultWeight": _DEFAULT,
    "transformedURLLength": _URL,
    "emojiParsingEnabled": True,
    "ranges": [{"start": start, "end": end, "weight": _LIGHT} for start, end in _RANGES],
}

_ENDINGS = (
    "com org net info biz edu gov mil int app dev blog shop online site school academy education news events club xyz top link live "
    "charity foundation community london scot wales cymru"
)
_KNOWN_ENDINGS = frozenset(_ENDINGS.split())
_COUNTRY = 2
_LABEL = r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?"
_PATH = r"(?:[/?#][a-z0-9\-._~:/?#@!$&'*+,;=%|\u00c0-\u024f\u0400-\u04ff]{0,2048})?"
_URLS = re.compile(
    rf"(?<![\w@$#./\-])(?:https?://)?(?:{_LABEL}\.){{1,8}}[a-z]{{2,63}}(?![\w\-@])(?::\d{{1,5}}(?!\d))?{_PATH}",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?:https?://)?([^/?#:]+)", re.IGNORECASE)
_CLOSING = ".,;:!?'*~|@&$"

_BLACK_FLAG = "\U0001f3f4"
_REGIONS = (
    "AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF "
    "CG CH CI CK CL CM CN CO CP CR CU CV CW CX CY CZ DE DG DJ DK DM DO DZ EA EC EE EG EH ER ES ET EU FI FJ FK FM FO FR GA GB GD GE "
    "GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU IC ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN "
    "KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE "
    "NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM "
    "SN SO SR SS ST SV SX SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM UN US UY UZ VA VC VE VG VI VN VU WF WS "
    "XK YE YT ZA ZM ZW"
)
_COUNTRIES = frozenset(_REGIONS.split())
_SKIN = "[\U0001f3fb-\U0001f3ff]"
# What may carry a skin tone.
_BODY = (
    "[\u261d\u26f9\u270a-\u270d\U0001f385\U0001f3c2-\U0001f3c4\U0001f3c7\U0001f3ca-\U0001f3cc\U0001f442\U0001f443\U0001f446-\U0001f450"
    "\U0001f466-\U0001f478\U0001f47c\U0001f481-\U0001f483\U0001f485-\U0001f487\U0001f4aa\U0001f574\U0001f575\U0001f57a\U0001f590"
    "\U0001f595\U0001f596\U0001f645-\U0001f647\U0001f64b-\U0001f64f\U0001f6a3\U0001f6b4-\U0001f6b6\U0001f6c0\U0001f6cc\U0001f90c"
    "\U0001f90f\U0001f918-\U0001f91f\U0001f926\U0001f930-\U0001f939\U0001f93c-\U0001f93e\U0001f977\U0001f9b5\U0001f9b6\U0001f9b8"
    "\U0001f9b9\U0001f9bb\U0001f9cd-\U0001f9cf\U0001f9d1-\U0001f9dd]"
)
# What is drawn as text unless a variation sign follows; after anything else that sign counts by itself.
_TEXTUAL = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u2328\u23cf\u23ed-\u23ef\u23f1\u23f2\u23f8-\u23fa\u24c2\u25aa\u25ab"
    "\u25b6\u25c0\u25fb\u25fc\u2600-\u2604\u260e\u2611\u2618\u261d\u2620\u2622\u2623\u2626\u262a\u262e\u262f\u2638-\u263a\u2640\u2642"
    "\u265f\u2660\u2663\u2665\u2666\u2668\u267b\u267e\u2692\u2694-\u2697\u2699\u269b\u269c\u26a0\u26a7\u26b0\u26b1\u26c8\u26cf\u26d1"
    "\u26d3\u26e9\u26f0\u26f1\u26f4\u26f7-\u26f9\u2702\u2708\u2709\u270c\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2733\u2734\u2744"
    "\u2747\u2763\u2764\u27a1\u2934\u2935\u2b05-\u2b07\u3030\u303d\u3297\u3299\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f202"
    "\U0001f237\U0001f321\U0001f324-\U0001f32c\U0001f336\U0001f37d\U0001f396\U0001f397\U0001f399-\U0001f39b\U0001f39e\U0001f39f"
    "\U0001f3cb-\U0001f3ce\U0001f3d4-\U0001f3df\U0001f3f3\U0001f3f5\U0001f3f7\U0001f43f\U0001f441\U0001f4fd\U0001f549\U0001f54a"
    "\U0001f56f\U0001f570\U0001f573-\U0001f579\U0001f587\U0001f58a-\U0001f58d\U0001f590\U0001f5a5\U0001f5a8\U0001f5b1\U0001f5b2"
    "\U0001f5bc\U0001f5c2-\U0001f5c4\U0001f5d1-\U0001f5d3\U0001f5dc-\U0001f5de\U0001f5e1\U0001f5e3\U0001f5e8\U0001f5ef\U0001f5f3"
    "\U0001f5fa\U0001f6cb\U0001f6cd-\U0001f6cf\U0001f6e0-\U0001f6e5\U0001f6e9\U0001f6f0\U0001f6f3]"
)
_PERSON = f"[\U0001f468\U0001f469\U0001f9d1]{_SKIN}?"
_ROLE = (
    "(?:[\u2695\u2696\u2708]\ufe0f|[\U0001f33e\U0001f373\U0001f37c\U0001f384\U0001f393\U0001f3a4\U0001f3a8\U0001f3eb\U0001f3ed"
    "\U0001f4bb\U0001f4bc\U0001f527\U0001f52c\U0001f680\U0001f692\U0001f9af-\U0001f9b3\U0001f9bc\U0001f9bd])"
)
_CHILD = "[\U0001f466\U0001f467]"
_SEQUENCES = re.compile(
    "|".join(
        (
            f"{_BLACK_FLAG}\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)\U000e007f",
            f"{_PERSON}\u200d\u2764\ufe0f\u200d(?:\U0001f48b\u200d)?{_PERSON}",
            f"{_PERSON}\u200d\U0001f91d\u200d{_PERSON}",
            f"[\U0001f468\U0001f469](?:\u200d[\U0001f468\U0001f469])?\u200d{_CHILD}(?:\u200d{_CHILD})?",
            f"{_PERSON}\u200d{_ROLE}",
            f"{_BODY}(?:{_SKIN}|\ufe0f)?\u200d[\u2640\u2642]\ufe0f",
            "\U0001f3f3\ufe0f\u200d(?:\U0001f308|\u26a7\ufe0f)",
            f"{_BLACK_FLAG}\u200d\u2620\ufe0f",
            "\U0001f415\u200d\U0001f9ba",
            "\U0001f408\u200d\u2b1b",
            "\U0001f43b\u200d\u2744\ufe0f",
            "\u2764\ufe0f\u200d[\U0001f525\U0001fa79]",
            "\U0001f441\ufe0f\u200d\U0001f5e8\ufe0f",
            f"{_BODY}{_SKIN}",
            f"{_TEXTUAL}\ufe0f",
            "[0-9#*]\ufe0f?\u20e3",
            "[\u00a9\u00ae]",
        )
    )
)
_FLAG = re.compile("([\U0001f1e6-\U0001f1ff])([\U0001f1e6-\U0001f1ff])")
_FLAG_A = 0x1F1E6

# the counter in the page finds the same addresses and the same emoji
CONFIG.update(
    addresses=_URLS.pattern,
    closing=_CLOSING,
    endings=sorted(_KNOWN_ENDINGS),
    sequences=_SEQUENCES.pattern,
    countries=sorted(_COUNTRIES),
)


def x_weight(text: str) -> int:
    """The weighted length of a text on X: NFC, an address 23, an emoji 2, letters of most alphabets 1, the rest 2."""
    whole = unicodedata.normalize("NFC", text)
    total = last = 0
    for start, end in _addresses(whole):
        total += _plain(whole[last:start]) + _address(whole[start:end])
        last = end
    return -(-(total + _plain(whole[last:])) // _SCALE)


def x_links(text: str) -> int:
    """How many addresses of pages X finds in a text."""
    return sum(1 for _ in _addresses(unicodedata.normalize("NFC", text)))


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for match in _URLS.finditer(text):
        end = match.end()
        while text[end - 1] in _CLOSING:
            end -= 1
        yield match.start(), end


def _address(address: str) -> int:
    host = _HOST.match(address)
    ending = host[1].rpartition(".")[2].lower() if host else ""
    if ending in _KNOWN_ENDINGS or len(ending) == _COUNTRY:
        return _URL * _SCALE
    return max(_URL * _SCALE, _plain(address))


def _plain(text: str) -> int:
    total = at = 0
    while at < len(text):
        end = _sequence_end(text, at)
        if end > at:
            total += _DEFAULT
            at = end
        else:
            point = ord(text[at])
            total += _LIGHT if any(first <= point <= last for first, last in _RANGES) else _DEFAULT
            at += 1
    return total


def _sequence_end(text: str, at: int) -> int:
    """Where the known emoji sequence that starts here ends; `at` when none starts."""
    if text[at].isalpha():
        return at
    known = _SEQUENCES.match(text, at)
    if known:
        return known.end()
    flag = _FLAG.match(text, at)
    if flag and "".join(chr(ord(letter) - _FLAG_A + ord("A")) for letter in flag.groups()) in _COUNTRIES:
        return flag.end()
    return at
