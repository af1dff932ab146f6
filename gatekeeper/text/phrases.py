"""A small language for phrases, and the reader that finds them in bounded time.

A pattern is a row of elements: `word`, `word/other`, `stem*`, `{family}`, `{one|two}`; `..` skips up to three words,
`...` up to eight; `?` after an element makes it optional; `^` and `$` hold the ends of the sentence. `&` joins rows
that may stand in any order in the sentence, and `!` before a row forbids it there.

There is no backtracking: each element advances a set of places, so the work grows with the length of the text alone.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gatekeeper.text.fold import fold_word

_TOKEN = re.compile(r"'(?:s|re|ve|ll|d|m)(?![^\W_])|[a-z]+n't(?![^\W_])|\d+(?:[.:,]\d+)*[^\W\d_]*|[^\W_]+")
_SHORT_GAP, _LONG_GAP = 3, 8
_LEAST_STEM = 2

_LONGEST_STEM = 20
_HEAVY = 50
_FREQUENT = [
    "a",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "but",
    "by",
    "do",
    "for",
    "from",
    "had",
    "has",
    "have",
    "he",
    "her",
    "here",
    "his",
    "i",
    "if",
    "in",
    "is",
    "it",
    "me",
    "my",
    "no",
    "not",
    "of",
    "on",
    "one",
    "or",
    "our",
    "she",
    "so",
    "that",
    "the",
    "their",
    "them",
    "they",
    "this",
    "to",
    "today",
    "up",
    "us",
    "was",
    "we",
    "were",
    "who",
    "will",
    "with",
    "you",
    "your",
    "all",
    "'s",
    "class",
    "school",
    "children",
    "year",
]

Mark = tuple[int, int]
Tail = tuple[tuple[tuple[str, bool], ...], int]


def _mark(places: list[Mark], start: int, end: int) -> None:
    if not places or places[-1] != (start, end):
        places.append((start, end))


def split_phrase(phrase: str) -> tuple[tuple[str, bool], ...]:
    """The words of a phrase as a passage would have them, each with whether it is only a stem."""
    words: list[tuple[str, bool]] = []
    for piece in fold_word(phrase).split():
        stem = piece.endswith("*")
        tokens = [token.replace("n't", "nt") for token in _TOKEN.findall(piece.rstrip("*"))]
        words += [(token, False) for token in tokens[:-1]]
        if tokens:
            words.append((tokens[-1], stem))
    return tuple(words)


class PatternError(ValueError):
    """A pattern cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Element:
    """One place in a row: the atoms that fit it, the longest gap before it, and whether it may be missing."""

    atoms: tuple[int, ...]
    gap: int
    optional: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Elements in order."""

    elements: tuple[Element, ...]
    at_start: bool
    at_end: bool
    forbidden: bool
    needed: tuple[tuple[int, ...], ...]  # for each element that must be there, the atoms that would do


@dataclass(frozen=True, slots=True)
class Pattern:
    """Rows that must all be found, or not be found, in one sentence."""

    rows: tuple[Row, ...]
    source: str


@dataclass(slots=True)
class Atoms:
    """Numbers every phrase and family that some pattern asks for, and finds them all in one pass."""

    families: Mapping[str, Sequence[str]]
    outside: frozenset[str]
    _ids: dict[str, int] = field(default_factory=dict)
    _single: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _pairs: dict[tuple[str, str], list[Tail]] = field(default_factory=lambda: defaultdict(list))
    _openers: dict[str, list[Tail]] = field(default_factory=lambda: defaultdict(list))
    _stems: dict[str, list[Tail]] = field(default_factory=lambda: defaultdict(list))

    def family(self, name: str) -> int:
        """The number of a family; its phrases are taken up when it is first asked for."""
        key = "{" + name + "}"
        if key not in self._ids:
            self._ids[key] = len(self._ids)
            if name not in self.families and name not in self.outside:
                raise PatternError(f"there is no family called {name}")
            for phrase in self._phrases(name, ()):
                self._add(phrase, self._ids[key])
        return self._ids[key]

    def _phrases(self, name: str, within: tuple[str, ...]) -> Iterable[str]:
        if name in within:
            raise PatternError(f"the family {name} contains itself")
        for phrase in self.families.get(name, ()):
            if phrase.startswith("@"):
                if phrase[1:] not in self.families:
                    raise PatternError(f"there is no family called {phrase[1:]}")
                yield from self._phrases(phrase[1:], (*within, name))
            else:
                yield phrase

    def literal(self, phrase: str) -> int:
        """The number of a single phrase."""
        if phrase not in self._ids:
            self._ids[phrase] = len(self._ids)
            self._add(phrase, self._ids[phrase])
        return self._ids[phrase]

    def _add(self, phrase: str, number: int) -> None:
        words = split_phrase(phrase)
        if not words:
            raise PatternError(f"the phrase {phrase!r} has no words")
        (first, stem), rest = words[0], words[1:]
        if stem and len(first) < _LEAST_STEM:
            raise PatternError(f"the stem {phrase!r} is too short")
        if stem:
            self._stems[first].append((rest, number))
        elif rest and rest[0][1]:
            self._openers[first].append((rest, number))
        elif rest:
            self._pairs[first, rest[0][0]].append((rest[1:], number))
        else:
            self._single[first].append(number)

    def number(self, name: str) -> int | None:
        """The number of an outside family, when some pattern uses it."""
        return self._ids.get("{" + name + "}")

    def weight(self, atom: int) -> int:
        """How much an atom is likely to be met: words that stand in every other sentence weigh most."""
        return 1 + _HEAVY * sum(atom in self._single.get(word, ()) for word in _FREQUENT)

    def find(self, words: Sequence[str]) -> dict[int, list[Mark]]:
        """Every atom in the words: its places as (start, end)."""
        found: dict[int, list[Mark]] = defaultdict(list)
        last = len(words) - 1
        for at, word in enumerate(words):
            for number in self._single.get(word, ()):
                _mark(found[number], at, at + 1)
            if at < last:
                entries = self._pairs.get((word, words[at + 1]))
                if entries:
                    self._follow(words, at, at + 2, entries, found)
            if self._stems:
                for length in range(_LEAST_STEM, min(len(word), _LONGEST_STEM) + 1):
                    entries = self._stems.get(word[:length])
                    if entries:
                        self._follow(words, at, at + 1, entries, found)
            entries = self._openers.get(word)
            if entries:
                self._follow(words, at, at + 1, entries, found)
        return found

    @staticmethod
    def _follow(words: Sequence[str], at: int, begun: int, entries: list[Tail], found: dict[int, list[Mark]]) -> None:
        for rest, number in entries:
            end = begun
            for wanted, stem in rest:
                if end >= len(words) or not (words[end].startswith(wanted) if stem else words[end] == wanted):
                    break
                end += 1
            else:
                _mark(found[number], at, end)


def compile_pattern(source: str, atoms: Atoms) -> Pattern:
    """Reads one pattern."""
    rows = tuple(_compile_row(part.strip(), atoms) for part in source.split("&"))
    if all(row.forbidden for row in rows):
        raise PatternError(f"the pattern {source!r} asks for nothing")
    return Pattern(rows, source)


def _compile_row(source: str, atoms: Atoms) -> Row:
    forbidden = source.startswith("!")
    elements: list[Element] = []
    at_start = at_end = False
    gap = 0
    for piece in source.lstrip("! ").split():
        if piece == "^":
            at_start = True
        elif piece == "$":
            at_end = True
        elif piece in {"..", "..."}:
            gap = _SHORT_GAP if piece == ".." else _LONG_GAP
        else:
            optional = piece.endswith("?")
            elements.append(Element(_element(piece.rstrip("?"), atoms), gap, optional))
            gap = 0
    if not elements or all(element.optional for element in elements):
        raise PatternError(f"the pattern {source!r} asks for nothing")
    needed = tuple(element.atoms for element in elements if not element.optional)
    return Row(tuple(elements), at_start, at_end, forbidden, needed)


def _element(piece: str, atoms: Atoms) -> tuple[int, ...]:
    if piece.startswith("{"):
        if not piece.endswith("}"):
            raise PatternError(f"a bracket is missing in {piece!r}")
        return tuple(atoms.family(name) for name in piece[1:-1].split("|"))
    return tuple(atoms.literal(word.replace("_", " ")) for word in piece.split("/"))


def find_row(row: Row, found: Mapping[int, Sequence[Mark]], first: int, last: int) -> Mark | None:
    """The first place in words [first, last) where the row stands."""
    reach: dict[int, int] | None = None  # where a partial match ends -> where it started
    slack = 0
    for element in row.elements:
        marks = [mark for atom in element.atoms for mark in found.get(atom, ()) if first <= mark[0] and mark[1] <= last]
        if reach is None:
            here = {end: start for start, end in reversed(marks) if not row.at_start or start == first}
            if element.optional and not here:
                continue
        else:
            here = _advance(reach, marks, element.gap + slack)
            slack = max(slack, element.gap) if element.optional else 0
            if element.optional:
                here = {**here, **reach}
        if not here:
            return None
        reach = here
    ends = [end for end in reach or () if not row.at_end or end == last]
    if not reach or not ends:
        return None
    return reach[min(ends)], min(ends)


def _advance(reach: Mapping[int, int], marks: Sequence[Mark], gap: int) -> dict[int, int]:
    """The partial matches one element further on."""
    here: dict[int, int] = {}
    for start, end in marks:
        for skipped in range(gap + 1):
            begun = reach.get(start - skipped)
            if begun is not None:
                here[end] = max(begun, here.get(end, -1))
                break
    return here
