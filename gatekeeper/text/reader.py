"""Reads a passage against the phrases of the clauses."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from gatekeeper.text.draft import SchoolWords
from gatekeeper.text.fold import fold_word
from gatekeeper.text.lexicon import Compiled, Lexicon, compiled
from gatekeeper.text.passage import Passage
from gatekeeper.text.phrases import Mark, Pattern, find_row
from gatekeeper.text.pupils import NameSpan
from gatekeeper.text.rooms import Room
from gatekeeper.text.staff import StaffNames
from gatekeeper.text.unnamed import unnamed
from gatekeeper.text.vocabulary import vocabulary

_TIME = re.compile(r"(?:[01]?\d|2[0-3])[.:][0-5]\d(?:am|pm)?|(?:1[0-2]|0?\d)(?:am|pm)|noon|midday|midnight")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NUMBER_WORDS = frozenset(
    [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "twenty",
        "thirty",
        "forty",
        "fifty",
        "sixty",
        "seventy",
        "eighty",
        "ninety",
        "hundred",
        "thousand",
        "half",
    ]
)
_AGED = re.compile(
    r"(?:\d{1,2}|three|four|five|six|seven|eight|nine|ten|eleven|twelve)[- ]years?[- ]olds?|\b(?:[3-9]|1[01])yo\b|\baged? (?:\d{1,2}|five|six|seven|eight|nine|ten|eleven)\b"
)
_PASSWORD = re.compile(r"(?=[^\s]{0,30}[a-z])(?=[^\s]{0,30}\d)[a-z0-9!@#$%&*_\-]{5,30}|(?<![\d.,:])\d{4,6}(?![\d.,:%])")
_MONEY = re.compile(r"[£$€] ?\d|\d ?(?:k\b|pounds|quid)")
_PERCENT = re.compile(r"\d {0,1}(?:%|per ?cent|percent)")
_TIME_WORDS = frozenset({"noon", "midday", "midnight"})
_TITLES = frozenset(["mr", "mrs", "ms", "miss", "mx", "dr", "sir", "madam", "headmaster"])
_LONGEST = 120
_PEOPLE = frozenset({"pupil-name", "staff-name"})
_PLACES = frozenset({"room", "house", "school"})


@dataclass(frozen=True, slots=True)
class Match:
    """One entry found, in folded offsets: the whole sentence it stands in."""

    rule: str
    start: int
    end: int
    severity: str | None
    entry: str


class Reader:
    """Matches every entry of a lexicon. Holds nothing that changes, so threads may share it."""

    def __init__(self, lexicon: Lexicon, school: SchoolWords, staff: StaffNames) -> None:
        self._atoms, self._entries = compiled(lexicon)
        self._staff = staff
        self._schools = tuple(
            tuple(fold_word(name).split()) for name in (school.name, *school.short_names) if name.strip()
        )
        self._houses = frozenset(fold_word(house) for house in school.houses)
        self._by_atom: dict[int, list[tuple[int, int]]] = defaultdict(list)
        weigh = cache(self._atoms.weight)
        for number, one in enumerate(self._entries):
            for place, pattern in enumerate(one.patterns):
                needed = [atoms for row in pattern.rows if not row.forbidden for atoms in row.needed]
                for atom in min(needed, key=lambda atoms: sum(map(weigh, atoms))):
                    self._by_atom[atom].append((number, place))

    def find(self, passage: Passage, account: str, rooms: Sequence[Room], names: Iterable[NameSpan]) -> list[Match]:
        """Every entry that some sentence matches, once per sentence and rule."""
        found = self._atoms.find(passage.words)
        self._outside(passage, found, rooms, names)
        wanted: dict[int, set[int]] = defaultdict(set)
        for atom in found:
            for number, place in self._by_atom.get(atom, ()):
                wanted[number].add(place)
        matches: list[Match] = []
        seen: set[tuple[str, int]] = set()
        if not wanted:
            return matches
        by_sentence = self._split(passage, found)
        for number in sorted(wanted):
            one = self._entries[number]
            if one.entry.account not in {None, account}:
                continue
            patterns = [one.patterns[place] for place in sorted(wanted[number])]
            for first, last, marks in self._units(passage, one.entry.scope, by_sentence, found):
                if (one.entry.rule, first) in seen or not self._matches(one, patterns, marks, first, last):
                    continue
                if any(fits(pattern, found, 0, len(passage.words)) for pattern in one.post_unless):
                    break
                seen.add((one.entry.rule, first))
                start = passage.sentence_span(passage.sentence[first])[0]
                end = passage.sentence_span(passage.sentence[last - 1])[1]
                matches.append(Match(one.entry.rule, start, end, one.entry.severity, one.entry.id))
        return matches

    @staticmethod
    def _matches(
        one: Compiled, patterns: Sequence[Pattern], marks: Mapping[int, Sequence[Mark]], first: int, last: int
    ) -> bool:
        if not any(fits(pattern, marks, first, last) for pattern in patterns):
            return False
        return not any(fits(pattern, marks, first, last) for pattern in one.unless)

    @staticmethod
    def _split(passage: Passage, found: Mapping[int, Sequence[Mark]]) -> list[dict[int, list[Mark]]]:
        parts: list[dict[int, list[Mark]]] = [defaultdict(list) for _ in passage.sentences]
        for atom, places in found.items():
            for start, end in places:
                if passage.sentence[start] == passage.sentence[end - 1]:
                    parts[passage.sentence[start]][atom].append((start, end))
        return parts

    @staticmethod
    def _units(
        passage: Passage, scope: str, by_sentence: list[dict[int, list[Mark]]], found: Mapping[int, Sequence[Mark]]
    ) -> Iterable[tuple[int, int, Mapping[int, Sequence[Mark]]]]:
        if scope == "post":
            yield 0, len(passage.words), found
            return
        for at, (first, last) in enumerate(passage.sentences):
            if scope == "sentence" or len(passage.sentences) == 1:
                yield first, last, by_sentence[at]
            elif at + 1 < len(passage.sentences):
                both = {
                    atom: [*by_sentence[at].get(atom, ()), *by_sentence[at + 1].get(atom, ())]
                    for atom in by_sentence[at].keys() | by_sentence[at + 1].keys()
                }
                yield first, passage.sentences[at + 1][1], both

    # -- what no word list can say ------------------------------------------------------------------------------

    def _outside(
        self, passage: Passage, found: dict[int, list[Mark]], rooms: Sequence[Room], names: Iterable[NameSpan]
    ) -> None:
        marks: list[tuple[str, int, int]] = []
        for at in range(len(passage.words)):
            marks += self._word_marks(passage, at)
        for name, shape in (("money", _MONEY), ("percent", _PERCENT), ("age", _AGED), ("password", _PASSWORD)):
            if self._atoms.number(name) is not None:
                spans = (passage.words_in(match.start(), match.end()) for match in shape.finditer(passage.text))
                marks += [(name, span.start, span.stop) for span in spans]
        marks += [("room", room.start, room.end) for room in rooms]
        named = [passage.words_in(name.start, name.end) for name in names]
        marks += [("pupil-name", span.start, span.stop) for span in named]
        if self._atoms.number("someone") is not None:
            known = {at for kind, start, end in marks if kind in _PEOPLE for at in range(start, end)}
            places = {at for kind, start, end in marks if kind in _PLACES for at in range(start, end)}
            marks += [("someone", at, at + 1) for at in unnamed(passage, known, places)]
        for kind, start, end in marks:
            atom = self._atoms.number(kind)
            if atom is not None and start < end:
                found[atom].append((start, end))

    def _word_marks(self, passage: Passage, at: int) -> Iterable[tuple[str, int, int]]:
        words = passage.words
        word = words[at]
        if word[0].isdigit() or word in _NUMBER_WORDS or word in _TIME_WORDS:
            yield "number", at, at + 1
            if _TIME.fullmatch(word):
                yield "time", at, at + 1
        if word in self._houses:
            yield "house", at, at + 1
        if passage.capital[at]:
            if not passage.opening[at] and word not in vocabulary().calendar:
                yield "capital", at, at + 1
            if word in self._staff.surnames or word in self._staff.firsts:
                yield "staff-name", at, at + 1
        if word in _TITLES and at + 1 < len(words) and passage.capital[at + 1]:
            yield "staff-name", at, at + 2
        for school in self._schools:
            if word == school[0] and tuple(words[at : at + len(school)]) == school:
                yield "school", at, at + len(school)


def fits(pattern: Pattern, marks: Mapping[int, Sequence[Mark]], first: int, last: int) -> bool:
    """Whether every row of the pattern is there, and every forbidden one is not."""
    for row in pattern.rows:
        if not row.forbidden and not all(any(atom in marks for atom in atoms) for atoms in row.needed):
            return False
    return all((find_row(row, marks, first, last) is None) is row.forbidden for row in pattern.rows)
