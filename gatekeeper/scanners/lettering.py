"""Puts what was read in a picture through the text engine: names, contact details, swearing, and where codes lead.

Letters in a photo are no sentence somebody wrote, so the rules about style and topics are not asked. A name on a badge
or a peg stands alone, though, where the engine rightly wants to see a sentence around it; and on a certificate a name
may run over two lines. So the lines are read as they stand under and beside each other, and each alone, too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gatekeeper.lettering.reading import Code, Line, Reading, Region
from gatekeeper.policy.photo_rules import photo_rules, severity_of
from gatekeeper.scanners.reading_order import reading_orders
from gatekeeper.text.checker import Checker
from gatekeeper.text.draft import Draft, Hit
from gatekeeper.text.fold import fold_word
from gatekeeper.text.rules import SEVERITIES, rules
from gatekeeper.text.vocabulary import vocabulary

NAME: Final = "pupil-name"
_COUNTED: Final = (NAME, "contact-", "profanity")
_IN_A_CODE: Final = (*_COUNTED, "link-")
_APART: Final = "\n.....\n"  # no name runs across this
_PIECES: Final = re.compile(
    r"\s*[,;&/|+•·:]\s*|\s+and\s+|\s{3,}|(?:\baged?\b)?[\s.]{0,3}(?<!\w)\d+[.)]?(?!\w)\s*|\d{2,}(?!\w)"
)
_INITIAL: Final = re.compile(r"(?<=\w)\s+[A-Z]\.?$")
_MONTHS: Final = frozenset({"april", "may", "june", "august"})  # beside a number they are a date
_BEFORE_A_NAME: Final = re.compile(
    r"^(?:my\s+)?name(?:\s+is)?\b\W*|^(?:by|hello,?\s+i['’]?m|i\s+am|this\s+is)\b\W*", re.IGNORECASE
)
_LINK: Final = re.compile(
    r"^\s*(?:https?://)?(?:[\w-]{1,63}@)?((?:[\w-]{1,63}\.){1,10}[a-z]{2,24})(?::\d+)?(?:[/?#]\S*)?\s*$", re.IGNORECASE
)
_SHORTEST: Final = 2
_SURE_LENGTH: Final = 3
_ALIKE: Final = str.maketrans("l1|!058", "iiiiosb")

_Found = tuple[Hit, tuple[Line, ...]]


@dataclass(frozen=True, kw_only=True)
class SeenWords:
    """One finding about letters or a code. The box is in pixels of the picture that was read."""

    rule: str
    clause: str
    severity: str
    quote: str
    message: str
    box: Region
    is_code: bool = False
    pupil_ids: tuple[str, ...] = ()


class LoneNames:
    """First names and nicknames as they stand alone on a badge, a peg or a tray."""

    def __init__(self, pupils: Iterable[tuple[str, Sequence[str]]], *, also_words: Iterable[str] = ()) -> None:
        """Builds the index.

        Args:
            pupils: the id of each pupil with what it is called.
            also_words: names that stand on walls for other reasons: classes and houses.
        """
        self._ids: dict[str, list[str]] = {}
        for pupil_id, names in pupils:
            for name in names:
                if len(name) >= _SHORTEST:
                    self._ids.setdefault(_shape(name), []).append(pupil_id)
        self._words = {_shape(word) for word in (*vocabulary().word_names, *also_words)}

    def find(self, text: str) -> list[tuple[str, tuple[str, ...], bool]]:
        """Each part of the line that is a name and nothing else: the words, whose, and whether that is sure."""
        found = []
        for piece in _PIECES.split(text.strip()):
            words = _BEFORE_A_NAME.sub("", piece.strip()).strip(" .!?'\"’“”()[]-–*★☆")
            shape = _shape(_INITIAL.sub("", words))
            if words.casefold() in _MONTHS and any(map(str.isdigit, text)):
                continue
            if shape in self._ids and words[:1].isalnum():
                sure = shape not in self._words and len(words) >= _SURE_LENGTH
                found.append((words, tuple(dict.fromkeys(self._ids[shape])), sure))
        return found


def words_in(
    reading: Reading, *, checker: Checker, lone: LoneNames, domains: Iterable[str], softened: Mapping[str, str]
) -> list[SeenWords]:
    """Everything to be said about what was read in one picture.

    Args:
        reading: the lines and codes of the picture.
        checker: the text engine, told of this school.
        lone: the names that may stand alone.
        domains: the school's own and trusted addresses, where a code may lead.
        softened: what the school softened.
    """
    found = [*_in_lines(reading.lines, checker), *_alone(reading.lines, lone)]
    seen = [_told(hit, _around(lines)) for hit, lines in _once(found)]
    for code in reading.codes:
        seen += _in_code(code, checker, tuple(domains), softened)
    return seen


def _in_lines(lines: Sequence[Line], checker: Checker) -> list[_Found]:
    found: list[_Found] = []
    for groups in reading_orders(lines):
        text, places = "", list[tuple[int, int, Line]]()
        for group in groups:
            text += _APART if text else ""
            for number, line in enumerate(group):
                text += "\n" if number else ""
                places.append((len(text), len(text) + len(line.text), line))
                text += line.text
        for hit in checker.check(Draft(text=text, pictures=(), platform="", account="school")):
            if hit.start is None or hit.end is None or not hit.rule.startswith(_COUNTED):
                continue
            under = tuple(line for start, end, line in places if start < hit.end and hit.start < end)
            if under:
                found.append((hit, under))
    return found


def _alone(lines: Sequence[Line], lone: LoneNames) -> list[_Found]:
    rule = rules()["pupil-name-first"]
    return [
        (rule.hit("", 0, 0, words, severity="block" if sure else "justify", pupil_ids=ids), (line,))
        for line in lines
        for words, ids, sure in lone.find(line.text)
    ]


def _once(found: list[_Found]) -> list[_Found]:
    """Each thing once: a name that was read in two orders, or whole and in parts, is the longest and strictest of them."""
    kept: list[_Found] = []
    for hit, lines in sorted(found, key=lambda one: (-SEVERITIES.index(one[0].severity), -len(one[0].quote or ""))):
        if not any(_same(hit, lines, other, others) for other, others in kept):
            kept.append((hit, lines))
    return kept


def _same(hit: Hit, lines: tuple[Line, ...], other: Hit, others: tuple[Line, ...]) -> bool:
    if not any(line is one for line in lines for one in others):
        return False
    if hit.rule.startswith(NAME) and other.rule.startswith(NAME):
        return bool(set(hit.pupil_ids) & set(other.pupil_ids))
    return hit.rule == other.rule and (hit.quote or "") in (other.quote or "")


def _told(hit: Hit, box: Region, *, is_code: bool = False) -> SeenWords:
    """A hit of the text engine as it is told of a photo: a name that is sure blocks, wherever it stands."""
    quote = " ".join((hit.quote or "").split())
    severity, message = hit.severity, f"{hit.message} {photo_rules()['photo-letters'].message()}"
    if hit.rule.startswith(NAME):
        in_a_sentence = hit.rule == "pupil-name-first" and hit.start != hit.end
        severity = "block" if in_a_sentence else hit.severity
        message = photo_rules()["photo-name" if severity == "block" else "photo-name-perhaps"].message(quote)
    return SeenWords(
        rule=hit.rule,
        clause=hit.clause,
        severity=severity,
        quote=quote,
        message=message,
        box=box,
        is_code=is_code,
        pupil_ids=hit.pupil_ids,
    )


def _around(lines: Sequence[Line]) -> Region:
    boxes = [line.box for line in lines]
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def _in_code(code: Code, checker: Checker, domains: Sequence[str], softened: Mapping[str, str]) -> list[SeenWords]:
    """What a code says, put through the same rules; and a question, since nobody can read it by eye."""
    hits = checker.check(Draft(text=code.text, pictures=(), platform="", account="school"))
    seen = [_told(hit, code.box, is_code=True) for hit in hits if hit.rule.startswith(_IN_A_CODE)]
    link = _LINK.match(code.text)
    if seen or (link and _belongs(link[1].casefold(), domains)):
        return seen
    rule = photo_rules()["photo-code-link" if link else "photo-code"]
    severity = severity_of(rule.id, softened)
    if severity == "off":
        return []
    quote = " ".join(code.text.split()) or code.kind
    return [
        SeenWords(
            rule=rule.id,
            clause=rule.clause,
            severity=severity,
            quote=quote,
            message=rule.message(quote),
            box=code.box,
            is_code=True,
        )
    ]


def _belongs(host: str, domains: Sequence[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in map(str.casefold, domains) if domain)


def _shape(words: str) -> str:
    """The letters alone, and those that are taken for each other as one: "lvy" on a badge is Ivy."""
    plain = fold_word(words).translate(_ALIKE).replace("rn", "m").replace("vv", "w")
    return "".join(sign for sign in plain if sign.isalnum())
