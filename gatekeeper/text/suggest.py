"""Neutral words for what a rule found: one replacement that can be made without knowing more than the text.

Where none would be honest there is none. A suggestion is never used by itself; the author presses the button, and the
words are checked again like any others.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

_SENTENCE_END: Final = re.compile(r"(?:^|[.!?…\n])[\s\"'“”‘’(*_–-]{0,60}$")
_LAST_WORD: Final = re.compile(r"([^\W\d_]{1,60})[^\w.!?\n]{0,60}$")
_YEAR: Final = r"reception|nursery|year\s?\d{1,2}|yr\.?\s?\d{1,2}|y\d{1,2}|class\s?\d{1,2}\w?"

_NEAR: Final = 60  # what stands further away plays no part, however long the text is


@dataclass(frozen=True, kw_only=True)
class OwnWords:
    """What the school itself may be reached by, and what its classes are called; empty where it has not said."""

    phone: str = ""
    email: str = ""
    handle: str = ""
    rooms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suggestion:
    """Put `words` in the place of text[start:end]."""

    start: int
    end: int
    words: str

    def applied(self, text: str) -> str:
        """The text with the words replaced."""
        return text[: self.start] + self.words + text[self.end :]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the file; the file says what each key means."""

    rules: tuple[str, ...]
    say: str
    hit: str
    becomes: str
    otherwise: str = ""
    possessive: str = ""
    again: str = ""
    part: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    begins: str = ""


@dataclass(frozen=True)
class _Book:
    entries: tuple[Entry, ...]
    never_after: frozenset[str]
    to_after: re.Pattern[str]

    def of(self, rule: str) -> Entry | None:
        return next((entry for entry in self.entries if rule in entry.rules), None)


@cache
def book() -> _Book:
    """All entries, in the order of the file."""
    data = tomllib.loads(files("gatekeeper.text").joinpath("data/suggest.toml").read_text(encoding="utf-8"))
    greetings = "|".join(re.escape(words).replace(r"\ ", r"\s+") for words in data["to_after"])
    return _Book(
        tuple(_entry(one) for one in data["suggest"]),
        frozenset(data["never_after"].split()),
        re.compile(rf"\b(?:{greetings})(\s*,?\s+)$", re.IGNORECASE),
    )


def _entry(one: dict[str, Any]) -> Entry:
    patterns = {name: re.compile(one[name], re.IGNORECASE) for name in ("part", "unless") if name in one}
    words = {name: value for name, value in one.items() if name not in patterns and name != "rules"}
    return Entry(rules=tuple(one["rules"]), part=patterns.get("part"), unless=patterns.get("unless"), **words)


def suggest(rule: str, text: str, start: int | None, end: int | None, own: OwnWords) -> Suggestion | None:
    """The neutral words for what `rule` found at text[start:end], or None where no replacement would be honest."""
    entry = book().of(rule)
    if entry is None or start is None or end is None or not 0 <= start < end <= len(text):
        return None
    place = _place(entry, text, start, end)
    if place is None:
        return None
    start, end = place
    words = _words(entry, text, start, end, own)
    if words is None:
        return None
    if "pupil" not in words or entry.begins:
        return Suggestion(start, end, _capital(words, text, start))
    return _of_a_child(entry, text, start, end, words)


def _place(entry: Entry, text: str, start: int, end: int) -> tuple[int, int] | None:
    """What of the quoted words is to be replaced; None where the entry does not fit them."""
    if entry.begins and _first_sign(text, start) != entry.begins:
        return None
    if entry.unless is not None and entry.unless.search(text, start, end):
        return None
    if entry.part is None:
        return start, end
    found = list(entry.part.finditer(text, start, end))
    return found[0].span() if len(found) == 1 else None


def _words(entry: Entry, text: str, start: int, end: int, own: OwnWords) -> str | None:
    """What to say, with the school's own words filled in."""
    known = {
        "phone": own.phone,
        "email": own.email,
        "handle": f"@{own.handle.lstrip('@')}" if own.handle else "",
        "room": _room(text[start:end], own.rooms) if "{room}" in entry.say else "",
    }
    lacking = any(f"{{{name}}}" in entry.say and not words for name, words in known.items())
    say = entry.otherwise if lacking else entry.say.format(**known)
    if entry.again and not lacking and say.lower() in text[:start].lower():
        say = entry.again.format(**known)
    return say or None


def _of_a_child(entry: Entry, text: str, start: int, end: int, words: str) -> Suggestion | None:
    """The words in the place of a name, made to fit what stands around it."""
    before, after = text[max(0, start - _NEAR) : start], text[end : end + 2]
    if after in {"'s", "’s"}:
        if not entry.possessive:
            return None
        words, end = entry.possessive, end + 2
    elif after[:1] in {"'", "’"} or after[:1].isalnum():
        return None
    if greeting := book().to_after.search(before):
        return Suggestion(start - len(greeting[1]), end, f" to {words}")
    last = _LAST_WORD.search(before)
    if last is not None and last[1].lower() in book().never_after:
        return None
    return Suggestion(start, end, _capital(words, text, start))


def _capital(words: str, text: str, start: int) -> str:
    return words[0].upper() + words[1:] if _SENTENCE_END.search(text[max(0, start - _NEAR) : start]) else words


def _first_sign(text: str, at: int) -> str:
    """The sign in front of the run of letters in which a place lies."""
    while at and (text[at - 1].isalnum() or text[at - 1] == "_"):
        at -= 1
    return text[at - 1] if at else ""


def _room(quote: str, rooms: tuple[str, ...]) -> str:
    """The class or year that was quoted, as it was written."""
    names = "|".join([_YEAR, *(rf"{re.escape(name)}(?:\s+class)?" for name in rooms if name)])
    found = re.search(rf"\b(?:{names})\b", quote, re.IGNORECASE)
    return found[0] if found else ""
