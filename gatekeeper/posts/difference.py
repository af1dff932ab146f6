"""The difference between two contents of a post: its words, its photos, where it goes and when."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from gatekeeper.posts.word_difference import UNCHANGED, Passage, pieces


@dataclass(frozen=True, kw_only=True)
class PhotoSide:
    """One photo of a content.

    Attributes:
        sha256: the picture as it would be public; empty while it is being made anew.
        original: the private photo it was made from; empty where that is not known.
    """

    sha256: str
    alt: str
    original: str = ""

    @property
    def key(self) -> str:
        """What makes it the same photo, covered anew or not."""
        return self.original or self.sha256


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two contents that are compared: a sealed version, or a working copy that has gaps still."""

    text: str
    photos: tuple[PhotoSide, ...] = ()
    channels: tuple[int, ...] = ()
    due: datetime | None = None
    window_minutes: int = 0
    wordings: Mapping[int, str] = field(default_factory=dict)  # account -> its own text, where it has one

    @classmethod
    def from_canonical(cls, canonical: str, originals: Sequence[str] | None = None) -> "Side":
        """Read a sealed version; `originals` are the photos its pictures were made from, in the same order."""
        plain = json.loads(canonical)
        known = list(originals or ())
        known += [""] * (len(plain["photos"]) - len(known))
        return cls(
            text=plain["text"],
            photos=tuple(
                PhotoSide(sha256=photo["sha256"], alt=photo["alt"], original=original)
                for photo, original in zip(plain["photos"], known, strict=False)
            ),
            channels=tuple(channel["account_id"] for channel in plain["channels"]),
            due=datetime.strptime(plain["due"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
            window_minutes=plain["window_minutes"],
            wordings={int(account): words for account, words in plain.get("wordings", {}).items()},
        )


@dataclass(frozen=True, kw_only=True)
class PhotoChange:
    """What became of one photo. `before` and `after` are its numbers; one of them is missing where it came or went.

    Attributes:
        swapped: another photo stands at the place of one that was taken out.
        redrawn: the same photo, covered or cropped in another way.
        moved: it stands at another place among those that stayed.
        alt: its description in pieces; empty where that did not change.
    """

    before: int | None
    after: int | None
    before_sha: str = ""
    after_sha: str = ""
    swapped: bool = False
    redrawn: bool = False
    moved: bool = False
    alt: Passage = UNCHANGED


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Everything that differs. What is empty is the same in both."""

    text: Passage = UNCHANGED
    photos: tuple[PhotoChange, ...] = ()
    channels_in: tuple[int, ...] = ()
    channels_out: tuple[int, ...] = ()
    due: tuple[datetime | None, datetime | None] | None = None
    window: tuple[int, int] | None = None
    wordings: tuple[tuple[int, Passage], ...] = ()

    @cached_property
    def is_empty(self) -> bool:
        """Whether both are the same."""
        return not (
            self.text
            or self.photos
            or self.channels_in
            or self.channels_out
            or self.due
            or self.window
            or self.wordings
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """What kind of thing changed, without a word of it."""
        told = {
            "the words": self.text or self.wordings,
            "the photos": any(one.before != one.after or one.redrawn or one.swapped for one in self.photos),
            "the descriptions of photos": any(one.alt for one in self.photos),
            "the channels": self.channels_in or self.channels_out,
            "the time": self.due or self.window,
        }
        return tuple(what for what, changed in told.items() if changed)

    @property
    def size(self) -> int:
        """How much there is to read: changed signs of text, and a line's worth for everything else."""
        passages = [self.text, *(photo.alt for photo in self.photos), *(pieces for _, pieces in self.wordings)]
        signs = sum(len(piece.text) for pieces in passages for piece in pieces if piece.kind != "same")
        others = len(self.photos) + len(self.channels_in) + len(self.channels_out)
        return signs + 60 * others


def difference(before: Side, after: Side) -> Difference:
    """Everything that differs between two contents."""
    return Difference(
        text=pieces(before.text, after.text),
        photos=_photos(before.photos, after.photos),
        channels_in=tuple(account for account in after.channels if account not in before.channels),
        channels_out=tuple(account for account in before.channels if account not in after.channels),
        due=(before.due, after.due) if before.due != after.due else None,
        window=(before.window_minutes, after.window_minutes) if before.window_minutes != after.window_minutes else None,
        wordings=tuple(
            (account, changed)
            for account in sorted({*before.wordings, *after.wordings})
            if (changed := pieces(before.wordings.get(account, ""), after.wordings.get(account, "")))
        ),
    )


def _photos(before: Sequence[PhotoSide], after: Sequence[PhotoSide]) -> tuple[PhotoChange, ...]:
    """Every photo that came, went, or is not what or where it was, by its place now."""
    there = _partners(before, after)
    moved = _moved([there[index] for index in sorted(there)])
    changes = []
    for index, old in enumerate(before):
        if index not in there:
            swapped = index < len(after) and index not in there.values()
            changes.append(
                PhotoChange(
                    before=index + 1,
                    after=index + 1 if swapped else None,
                    before_sha=old.sha256,
                    after_sha=after[index].sha256 if swapped else "",
                    swapped=swapped,
                    alt=pieces(old.alt, after[index].alt) if swapped else UNCHANGED,
                )
            )
            continue
        new = after[there[index]]
        change = PhotoChange(
            before=index + 1,
            after=there[index] + 1,
            before_sha=old.sha256,
            after_sha=new.sha256,
            redrawn=old.sha256 != new.sha256,
            moved=there[index] in moved,
            alt=pieces(old.alt, new.alt),
        )
        if change.redrawn or change.moved or change.alt:
            changes.append(change)
    told = {change.after for change in changes}
    changes += [
        PhotoChange(before=None, after=index + 1, after_sha=new.sha256)
        for index, new in enumerate(after)
        if index not in there.values() and index + 1 not in told
    ]
    return tuple(sorted(changes, key=lambda one: (one.after or one.before or 0, one.before or 0)))


def _partners(before: Sequence[PhotoSide], after: Sequence[PhotoSide]) -> dict[int, int]:
    """Which photo is which: place before -> place after. Each has one partner at most."""
    free = list(range(len(after)))
    partners: dict[int, int] = {}
    for same in _SAME:
        for index, old in enumerate(before):
            found = next((place for place in free if same(old, after[place])), None) if index not in partners else None
            if found is not None:
                partners[index] = found
                free.remove(found)
    return partners


#: the same private photo; or, where that is not known, the very same picture
_SAME: Final[tuple[Callable[[PhotoSide, PhotoSide], bool], ...]] = (
    lambda a, b: a.key == b.key,
    lambda a, b: bool(a.sha256) and a.sha256 == b.sha256,
)


def _moved(places: Sequence[int]) -> set[int]:
    """Those places that have to be called moved so that the rest are in order; as few as can be."""
    runs: list[list[int]] = [[]]
    for place in places:
        before = [run for run in runs if not run or run[-1] < place]
        runs.append([*max(before, key=len), place])
    longest = max(runs, key=len)
    return set(places) - set(longest)
