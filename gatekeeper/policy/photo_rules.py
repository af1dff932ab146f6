"""The second verdict about photos: not whether they are allowed, but whether they are wise.

Consent answers for one child, one channel and today. Guidance since 2026 goes further: no close-ups, nobody alone, no
swimwear, no school name beside a child, no high resolution. These rules say so, each with what mends it.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import sqrt
from typing import Any, Final

#: A face is a close-up when it is higher than this part of the side of a square picture of the same size. A brow-to-chin
#: box is about three fifths of the head, so this is a head higher than a third of the picture: the head and shoulders
#: of one child. From the waist up, in a picture across, a face measures 0.15; in a class photo it measures 0.05.
CLOSE_UP: Final = 0.2
#: The long side of what is published with somebody's uncovered face in it, unless the author asks for more. Guidance
#: (EWWG 2026, UKSIC) asks for a lower resolution and names no number; 1280 fills a phone and a post's column on both
#: platforms, and holds under half of the pixels of the largest rendition.
LOWERED_SIDE: Final = 1280

_LONGEST_QUOTE: Final = 90
_STEPS: Final = ("off", "advice", "justify", "block")
Region = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PhotoRule:
    """One rule about photos: whom it serves, where it comes from, what it says and what mends it."""

    id: str
    clause: str
    source: str
    severity: str
    sentence: str
    remedy: tuple[str, ...]

    def message(self, quote: str = "", *, where: str = "") -> str:
        """The sentence with the quoted words in their place."""
        words = " ".join(quote.split())
        shown = words if len(words) <= _LONGEST_QUOTE else f"{words[:_LONGEST_QUOTE]} …"
        if "“⟨q⟩”" not in self.sentence:
            shown = f"“{shown}”"
        return self.sentence.replace("⟨q⟩", shown).replace("⟨where⟩", where)


@dataclass(frozen=True, kw_only=True)
class Person:
    """One box with somebody in it, in pixels of the upright original, and how high the face is in what is published."""

    state: str
    box: Region
    height: float


@dataclass(frozen=True, kw_only=True)
class PublishedPhoto:
    """One photo as it would be published.

    Attributes:
        index: its place in the post, from 0.
        people: every box inside the crop that is not "not a face".
        declared_pupils: its author says that pupils are in it.
        words: its description and what can be read in it.
        school_seen: the words or the mark by which the school can be recognised in it; empty when it cannot.
        school_box: where that stands, in pixels of the upright original.
    """

    index: int
    width: int
    height: int
    people: tuple[Person, ...] = ()
    declared_pupils: bool = False
    words: str = ""
    school_seen: str = ""
    school_box: Region | None = None

    @property
    def shows_pupil(self) -> bool:
        """Whether a pupil can be recognised: said of a face, or declared by the author where no face was boxed."""
        return any(person.state == "pupil" for person in self.people) or (self.declared_pupils and not self.people)


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One thing the second verdict has to say about one photo."""

    rule: str
    index: int
    message: str
    quote: str = ""
    box: Region | None = None


@cache
def photo_rules() -> dict[str, PhotoRule]:
    """All rules about photos by id."""
    return {entry["id"]: PhotoRule(**{**entry, "remedy": tuple(entry["remedy"])}) for entry in _data()["rule"]}


def severity_of(rule: str, softened: Mapping[str, str]) -> str:
    """What the rule demands here: "justify", "advice", "off", or "block", which no school softens. Never more than it came."""
    shipped = photo_rules()[rule].severity
    asked = softened.get(rule, shipped)
    return asked if shipped != "block" and _STEPS.index(asked) < _STEPS.index(shipped) else shipped


def remarks_about(photos: Sequence[PublishedPhoto], *, text: str) -> list[Remark]:
    """Everything guidance has to say about these photos, photo by photo."""
    found: list[Remark] = []
    for photo in photos:
        if not photo.shows_pupil:
            continue
        found += _close_ups(photo)
        if [person.state for person in photo.people] == ["pupil"]:
            found.append(_remark("photo-lone-child", photo, box=photo.people[0].box))
        if photo.school_seen:
            found.append(_remark("photo-school-name", photo, quote=photo.school_seen, box=photo.school_box))
        if max(photo.width, photo.height) > LOWERED_SIDE:
            found.append(_remark("photo-large", photo))
    return found + _swimwear(photos, text)


def speaks_of_swimwear(texts: Iterable[str]) -> str:
    """The first words in these texts that speak of swimming or a change of clothes; empty when none do."""
    words, excluded = _swimwear_words()
    for text in texts:
        if hit := words.search(excluded.sub(" ", text.casefold())):
            return hit[0]
    return ""


def _close_ups(photo: PublishedPhoto) -> list[Remark]:
    side = sqrt(photo.width * photo.height)
    return [
        _remark("photo-close-up", photo, box=person.box)
        for person in photo.people
        if person.state == "pupil" and side and person.height / side >= CLOSE_UP
    ]


def _swimwear(photos: Sequence[PublishedPhoto], text: str) -> list[Remark]:
    """One remark for the whole post: it goes by words, and those may stand anywhere."""
    shown = [photo for photo in photos if photo.shows_pupil]
    for photo in shown:
        if words := speaks_of_swimwear((text, photo.words)):
            return [_remark("photo-swimwear", photo, quote=words)]
    return []


def _remark(rule: str, photo: PublishedPhoto, *, quote: str = "", box: Region | None = None) -> Remark:
    return Remark(rule=rule, index=photo.index, message=photo_rules()[rule].message(quote), quote=quote, box=box)


@cache
def _swimwear_words() -> tuple[re.Pattern[str], re.Pattern[str]]:
    listed = _data()["swimwear"]
    return _any_of(listed["words"]), _any_of(listed["not"])


def _any_of(phrases: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted(phrases, key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(re.escape(phrase) for phrase in longest_first) + r")(?!\w)")


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("gatekeeper.policy").joinpath("photo_rules.toml").read_text(encoding="utf-8"))
