"""Finds where a text speaks of a class or a year group."""

import re
from dataclasses import dataclass

from gatekeeper.text.fold import fold_word
from gatekeeper.text.passage import Passage
from gatekeeper.text.roster import Roster, year_key

_YEAR_CODE = re.compile(r"y(?:ear|r)?(\d{1,2})('?s)?")
_YEAR_WORDS = frozenset({"year", "yr", "y", "years", "yrs"})
_NUMBER_WORDS = frozenset({"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "sixes", "fives"})
_CLASS_WORDS = frozenset({"class", "classes", "pupil", "pupils", "children"})


@dataclass(frozen=True, slots=True)
class Room:
    """A class or year named in a passage, from word `start` to before word `end`."""

    start: int
    end: int
    place: tuple[str, str]


class Rooms:
    """The classes and years of one school."""

    def __init__(self, roster: Roster, classes: tuple[str, ...]) -> None:
        names = {fold_word(name).strip() for name in classes} | set(roster.classes)
        self._classes: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name in sorted(names):
            words = tuple(re.findall(r"[^\W_]+", name))
            if words:
                self._classes.setdefault(words[0], []).append((words[1:], name))
        self.first_words = frozenset(self._classes)

    def find(self, passage: Passage) -> list[Room]:
        """Every class or year in the passage, in order."""
        rooms: list[Room] = []
        words = passage.words
        at = 0
        while at < len(words):
            room = self._room(passage, at)
            if room is None:
                at += 1
            else:
                rooms.append(room)
                at = room.end
        return rooms

    def _room(self, passage: Passage, at: int) -> Room | None:
        words = passage.words
        word = words[at]
        after = words[at + 1] if at + 1 < len(words) else ""
        code = _YEAR_CODE.fullmatch(word)
        if code:
            return Room(at, at + 1, ("year", year_key(code[1])))
        return self._year(passage, at, after) or self._class(passage, at)

    @staticmethod
    def _year(passage: Passage, at: int, after: str) -> Room | None:
        word = passage.words[at]
        if word in _YEAR_WORDS and (after.rstrip("s").isdigit() or after in _NUMBER_WORDS) and len(after) < 6:  # noqa: PLR2004
            if after.rstrip("s").isdigit() and len(after.rstrip("s")) > 2:  # noqa: PLR2004 - "year 2026" is a date
                return None
            key = {"sixes": "six", "fives": "five"}.get(after, after)
            return Room(at, at + 2, ("year", year_key(key)))
        if word == "reception" and (passage.capital[at] or after in _CLASS_WORDS):
            return Room(at, at + 1, ("year", "reception"))
        if word == "nursery" and passage.capital[at]:
            return Room(at, at + 1, ("year", "nursery"))
        return None

    def _class(self, passage: Passage, at: int) -> Room | None:
        words = passage.words
        word = words[at]
        for rest, name in self._classes.get(word, ()):
            end = at + 1 + len(rest)
            if tuple(words[at + 1 : end]) != rest:
                continue
            follows = words[end] if end < len(words) else ""
            if passage.capital[at] or follows in _CLASS_WORDS or word[:1].isdigit():
                return Room(at, end + (follows == "class"), ("class", name))
        return None
