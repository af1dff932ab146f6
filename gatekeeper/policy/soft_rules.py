"""What is worth a second look about the time of a post: sentences for a person, and never a refusal.

Outside school hours, at a weekend, at night, close to another post on the same channel, more on one day than anybody
reads, or with words that went out or go out elsewhere. None of it is against the policy; all of it is easily
overlooked by somebody who sees one post at a time.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from math import ceil
from typing import Final

from gatekeeper.clock import london
from gatekeeper.policy.calendar import CLOSE, wall
from gatekeeper.policy.hours import EARLIEST, LATEST, SchoolHours

MOST_A_DAY: Final = 3  # on one channel
REMEMBERED: Final = timedelta(days=60)  # so far apart, the same words are a reminder and no slip
_ALIKE: Final = 0.8  # of all the words of two posts, those that both have
_FEWEST_WORDS: Final = 6  # of shorter ones too many are alike by chance
_TOLD: Final = 2  # posts close by that are named
_SATURDAY: Final = 5
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One post in the plan.

    Attributes:
        title: empty where the reader may know only that its time is taken.
        text: its words; empty where they may not be compared for this reader.
    """

    id: int
    due: datetime
    channels: tuple[int, ...]
    title: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One thing worth a second look. `rule` names it for the tests and the style sheet."""

    rule: str
    sentence: str


def about_time(due: datetime, hours: SchoolHours) -> tuple[Remark, ...]:
    """What the school day, the terms and the night say about a time."""
    local = london(due)
    found = []
    if hours.terms and not any(first <= local.date() <= last for first, last in hours.terms):
        found.append(Remark(rule="term", sentence="This day lies outside the school's terms."))
    if local.weekday() >= _SATURDAY:
        found.append(Remark(rule="weekend", sentence=f"This is a {_WEEKEND[local.weekday()]}."))
    if not EARLIEST <= local.time() < LATEST:
        found.append(Remark(rule="night", sentence=f"This is at night, at {wall(due)}."))
    elif hours.is_school_day(local.date()) and not hours.is_open(due):
        sentence = f"This is outside the school day ({hours.start:%H:%M} to {hours.end:%H:%M})."
        found.append(Remark(rule="hours", sentence=sentence))
    return tuple(found)


_WEEKEND: Final = {5: "Saturday", 6: "Sunday"}


class Plan:
    """Every post that goes out or went out around the time that is looked at, as far as this reader may know of it."""

    def __init__(self, planned: Sequence[Planned], *, hours: SchoolHours, channels: Mapping[int, str]) -> None:
        self._planned = sorted(planned, key=lambda one: (one.due, one.id))
        self._dues = [one.due for one in self._planned]
        self._hours = hours
        self._channels = channels

    def remarks(self, post: Planned) -> tuple[Remark, ...]:
        """Everything worth a second look about this post, whether it stands in the plan already or not."""
        return (
            *about_time(post.due, self._hours),
            *self._collisions(post),
            *self._crowded(post),
            *self._repeats(post),
        )

    def taken(self, post: Planned) -> tuple[datetime, ...]:
        """When other posts go out on this post's channels."""
        wanted = set(post.channels)
        return tuple(one.due for one in self._planned if one.id != post.id and wanted & set(one.channels))

    def _between(self, first: datetime, last: datetime) -> Sequence[Planned]:
        return self._planned[bisect_left(self._dues, first) : bisect_right(self._dues, last)]

    def _collisions(self, post: Planned) -> Iterator[Remark]:
        near = [
            (abs(one.due - post.due), one, shared)
            for one in self._between(post.due - CLOSE, post.due + CLOSE)
            if one.id != post.id and (shared := set(one.channels) & set(post.channels))
        ]
        for apart, other, shared in sorted(near, key=lambda found: (found[0], found[1].id))[:_TOLD]:
            where = _list([self._channels.get(channel, "a channel") for channel in sorted(shared)])
            minutes = int(apart / timedelta(minutes=1))
            after = "after" if other.due < post.due else "before"
            how = f"{minutes} minute{'' if minutes == 1 else 's'} {after}" if minutes else "at the same time as"
            yield Remark(rule="collision", sentence=f"It goes to {where} {how} {_named(other)}.")

    def _crowded(self, post: Planned) -> Iterator[Remark]:
        day = london(post.due).date()
        for channel in post.channels:
            count = len(self._a_day.get((channel, day), set()) | {post.id})
            if count > MOST_A_DAY:
                where = self._channels.get(channel, "a channel")
                sentence = f"{count} posts go to {where} on this day. More than {MOST_A_DAY} are easily overlooked."
                yield Remark(rule="crowded", sentence=sentence)

    @cached_property
    def _a_day(self) -> dict[tuple[int, date], set[int]]:
        found: dict[tuple[int, date], set[int]] = {}
        for one in self._planned:
            for channel in one.channels:
                found.setdefault((channel, london(one.due).date()), set()).add(one.id)
        return found

    def _repeats(self, post: Planned) -> Iterator[Remark]:
        words = plain(post.text)
        if not words:
            return
        for other in self._same.get(words, ()):
            if self._counts(post, other):
                yield Remark(rule="repeat", sentence=f"It has the same words as {_named(other)}{_on(other)}.")
                return
        for other in self._alike.near(words):
            if self._counts(post, other):
                yield Remark(
                    rule="near-repeat", sentence=f"It has nearly the same words as {_named(other)}{_on(other)}."
                )
                return

    @staticmethod
    def _counts(post: Planned, other: Planned) -> bool:
        return other.id != post.id and abs(other.due - post.due) <= REMEMBERED

    @cached_property
    def _same(self) -> dict[str, list[Planned]]:
        found: dict[str, list[Planned]] = {}
        for one in self._planned:
            if words := self._plain[one.id]:
                found.setdefault(words, []).append(one)
        return found

    @cached_property
    def _plain(self) -> dict[int, str]:
        return {one.id: plain(one.text) for one in self._planned}

    @cached_property
    def _alike(self) -> "_Alike":
        return _Alike(self._planned, self._plain)


class _Alike:
    """Finds posts with nearly the same words without comparing each with each.

    Two sets of words that share four fifths also share one of their rarest few, so only posts with such a rare word
    in common are compared at all.
    """

    def __init__(self, planned: Sequence[Planned], texts: Mapping[int, str]) -> None:
        self._words = {one.id: words_of(texts[one.id]) for one in planned}
        self._often = Counter(word for words in self._words.values() for word in words)
        self._with: dict[str, list[Planned]] = {}
        for one in planned:
            for word in self._rarest(self._words[one.id]):
                self._with.setdefault(word, []).append(one)

    def near(self, text: str) -> Iterator[Planned]:
        """Every post with nearly these words, each once."""
        mine, seen = words_of(text), set[int]()
        for word in self._rarest(mine):
            for one in self._with.get(word, ()):
                if one.id in seen:
                    continue
                seen.add(one.id)
                theirs = self._words[one.id]
                both = len(mine & theirs)
                if both >= _ALIKE * (len(mine) + len(theirs) - both):
                    yield one

    def _rarest(self, words: frozenset[str]) -> tuple[str, ...]:
        if len(words) < _FEWEST_WORDS:
            return ()
        kept = len(words) - ceil(_ALIKE * len(words)) + 1
        return tuple(sorted(words, key=lambda word: (self._often[word], word))[:kept])


def plain(text: str) -> str:
    """The words alone, so that another line break or capital does not hide a repeat."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def words_of(text: str) -> frozenset[str]:
    """The different words of a text."""
    return frozenset(_WORD.findall(text))


def _named(other: Planned) -> str:
    return f"“{other.title}”" if other.title else "another post"


def _on(other: Planned) -> str:
    local = london(other.due)
    return f" of {local.day} {local:%B}"


def _list(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} and {unique[-1]}"
