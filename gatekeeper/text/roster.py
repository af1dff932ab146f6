"""The roll as an index: from the words of a name, in every form people write it, to the children it could mean.

Built once per roll. A look-up costs the same for 240 pupils and for 5,000: every question is a dictionary access
followed by the intersection of two small sets.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from nicknames import NickNamer

from gatekeeper.text.draft import Pupil
from gatekeeper.text.fold import fold_word
from gatekeeper.text.vocabulary import Vocabulary, vocabulary

_LETTERS = re.compile(r"[^\W\d_]+")
_FLAT = str.maketrans({
    "l": "i", "1": "i", "!": "i", "|": "i", "0": "o", "4": "a", "@": "a", "3": "e", "€": "e",
    "5": "s", "$": "s", "z": "s", "2": "s", "7": "t", "+": "t", "8": "b", "6": "g", "9": "g", "£": "e",
})  # fmt: skip
_RUNS = re.compile(r"(.)\1+")
_SHORTEST = 2


def skeleton(word: str) -> str:
    """A word with letters that are mistaken for each other made equal and repeated letters made one."""
    return _RUNS.sub(r"\1", word.translate(_FLAT))


def without_one(word: str) -> set[str]:
    """The word itself and every word that is left when one letter goes: two words one typing error apart share one."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


class Kind(IntEnum):
    """How a first name was written; the smallest wins."""

    FIRST = 0
    KNOWN = 1
    SHORT = 2  # a usual short form that is not on the roll


@dataclass(frozen=True, slots=True)
class Given:
    """One written form of a first name: the words after its first, and the pupils by kind."""

    rest: tuple[str, ...]
    kind: Kind
    pupils: frozenset[int]


@dataclass(frozen=True, slots=True)
class Family:
    """One written form of a surname: the words after its first, and the pupils who bear it."""

    rest: tuple[str, ...]
    pupils: frozenset[int]


def _parts(words: Sequence[str], particles: frozenset[str]) -> list[tuple[str, ...]]:
    """The halves of a surname, each with the particles before it."""
    parts: list[tuple[str, ...]] = []
    held: list[str] = []
    for word in words:
        held.append(word)
        if word not in particles or len(word) > 3:  # noqa: PLR2004 - particles are short
            parts.append(tuple(held))
            held = []
    if held:
        parts.append(tuple(held))
    return parts


def _split(name: str) -> tuple[str, ...]:
    return tuple(_LETTERS.findall(fold_word(name)))


def _last_forms(last: tuple[str, ...], parts: list[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Every way a surname is written: whole, squashed, and each half with or without its particles."""
    if not last:
        return set()
    forms = {last, ("".join(last),), tuple("".join(part) for part in parts)}
    for part in parts:
        forms |= {part, ("".join(part),), part[-1:]}
    return {form for form in forms if len("".join(form)) > _SHORTEST or form == last}


class Roster:
    """All pupils' names, indexed."""

    def __init__(self, pupils: Iterable[Pupil]) -> None:
        self.pupils: tuple[Pupil, ...] = tuple(pupils)
        self._words: Vocabulary = vocabulary()
        self._nick = NickNamer()
        given: dict[tuple[str, ...], dict[Kind, set[int]]] = defaultdict(lambda: defaultdict(set))
        family: dict[tuple[str, ...], set[int]] = defaultdict(set)
        self.initials: dict[str, set[int]] = defaultdict(set)
        self.first_letters: dict[int, frozenset[str]] = {}
        self.last_letters: dict[int, frozenset[str]] = {}
        self.first_squashed: dict[int, tuple[str, ...]] = {}
        self.last_squashed: dict[int, tuple[str, ...]] = {}
        self.classes: dict[str, set[int]] = defaultdict(set)
        self.years: dict[str, set[int]] = defaultdict(set)
        shorts: dict[str, frozenset[str]] = {}
        for at, pupil in enumerate(self.pupils):
            self._add(at, pupil, given, family, shorts)
        self.given: dict[str, list[Given]] = defaultdict(list)
        for words, kinds in given.items():
            for kind, members in kinds.items():
                self.given[words[0]].append(Given(words[1:], kind, frozenset(members)))
        self.family: dict[str, list[Family]] = defaultdict(list)
        for words, members in family.items():
            self.family[words[0]].append(Family(words[1:], frozenset(members)))
        for entries in self.given.values():
            entries.sort(key=lambda entry: (-len(entry.rest), entry.kind))
        for families in self.family.values():
            families.sort(key=lambda entry: -len(entry.rest))
        self.given_flat: dict[str, set[int]] = defaultdict(set)
        self.family_flat: dict[str, set[int]] = defaultdict(set)
        self.given_near: dict[str, set[str]] = defaultdict(set)
        self.family_near: dict[str, set[str]] = defaultdict(set)
        self._flatten()
        self.given_squashed: dict[str, set[int]] = defaultdict(set)
        self.family_squashed: dict[str, set[int]] = defaultdict(set)
        for index, squashed in ((self.first_squashed, self.given_squashed), (self.last_squashed, self.family_squashed)):
            for at, forms in index.items():
                for form in forms:
                    squashed[form].add(at)
        self.longest_family = max((len(form) for forms in self.last_squashed.values() for form in forms), default=0)
        self.longest = max((len(form) for forms in self.first_squashed.values() for form in forms), default=0)

    def _add(
        self,
        at: int,
        pupil: Pupil,
        given: dict[tuple[str, ...], dict[Kind, set[int]]],
        family: dict[tuple[str, ...], set[int]],
        shorts: dict[str, frozenset[str]],
    ) -> None:
        first, known, last = (_split(name) for name in (pupil.first_name, pupil.known_as, pupil.last_name))
        firsts = self._first_forms(first, known, shorts)
        for form, kind in firsts.items():
            if len("".join(form)) >= _SHORTEST:
                given[form][kind].add(at)
        parts = _parts(last, self._words.particles)
        lasts = _last_forms(last, parts)
        for form in lasts:
            family[form].add(at)
        self.first_letters[at] = frozenset(form[0][0] for form, kind in firsts.items() if kind < Kind.SHORT)
        self.last_letters[at] = frozenset(word[0] for word in last[:1])
        self.first_squashed[at] = tuple(sorted({"".join(form) for form in firsts if len("".join(form)) >= _SHORTEST}))
        self.last_squashed[at] = tuple(sorted({"".join(form) for form in lasts}))
        letters, plain = "".join(part[-1][0] for part in parts), "".join(word[0] for word in last)
        for head in {word[0][0] for word in (first, known) if word}:
            for tail in {letters[:1], letters, plain, *plain} - {""}:
                self.initials[head + tail].add(at)
        self.classes[fold_word(pupil.class_name).strip()].add(at)
        self.years[year_key(pupil.year)].add(at)

    def _first_forms(
        self, first: tuple[str, ...], known: tuple[str, ...], shorts: dict[str, frozenset[str]]
    ) -> dict[tuple[str, ...], Kind]:
        """Every way a first name is written, with how sure each is."""
        forms: dict[tuple[str, ...], Kind] = {}
        if first:
            forms[first] = forms["".join(first),] = Kind.FIRST
            if len(first) > 1 and len(first[0]) > _SHORTEST:
                forms.setdefault(first[:1], Kind.KNOWN)
        if known:
            forms.setdefault(known, Kind.KNOWN)
            forms.setdefault(("".join(known),), Kind.KNOWN)
        if first and first[0] not in shorts:
            usual = self._nick.nicknames_of(first[0])
            shorts[first[0]] = frozenset(word for word in usual if len(word) > _SHORTEST and word.isalpha())
        for short in sorted(shorts[first[0]]) if first else ():
            forms.setdefault((short,), Kind.SHORT)
        return forms

    def _flatten(self) -> None:
        for at, forms in self.first_squashed.items():
            for form in forms:
                self.given_flat[skeleton(form)].add(at)
        for at, forms in self.last_squashed.items():
            for form in forms:
                self.family_flat[skeleton(form)].add(at)
        for index, near in ((self.first_squashed, self.given_near), (self.last_squashed, self.family_near)):
            for form in {form for forms in index.values() for form in forms}:
                flat = skeleton(form)
                for key in without_one(form) | without_one(flat) if len(flat) > _SHORTEST else ():
                    near[key].add(flat)

    def in_class(self, place: tuple[str, str]) -> set[int]:
        """The pupils of a class or a year, named by what `rooms.py` read."""
        return (self.classes if place[0] == "class" else self.years).get(place[1], set())

    def ids(self, members: Iterable[int]) -> tuple[str, ...]:
        """The pupils' ids, in the order of the roll."""
        return tuple(self.pupils[at].id for at in sorted(members))


_NUMBERS = (
    "zero",
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
    "thirteen",
)


def year_key(year: str) -> str:
    """One key for a year however it is written: "Year 5", "Y5", "year five". Reception and Nursery are their own."""
    folded = fold_word(year).strip()
    digits = re.search(r"\d{1,2}", folded)
    if digits:
        return digits[0].lstrip("0") or "0"
    for number, word in enumerate(_NUMBERS):
        if re.search(rf"\b{word}\b", folded):
            return str(number)
    if folded in {"r", "yr", "eyfs", "foundation"}:
        return "reception"
    return folded
