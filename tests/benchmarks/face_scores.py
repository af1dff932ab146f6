"""Holds the boxes a program found against those people drew: what was found, what was missed, what was no face.

`recall` counts a face whose own found box overlaps it by 40 % and more, each found box used once. `covered` counts a
face at least half of which lies in a found box of at most six times its area; `whole` the photos in which that holds
for every face of 20 pixels and more. `false` are boxes that touch no face and nothing marked as not to be counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import starmap
from typing import Any

from gatekeeper.faces.boxes import Box, mean_the_same, overlap
from tests.benchmarks.intervals import share

SMALLEST = 20
SIZES = {"<20": (0, 20), "20-40": (20, 40), "40-80": (40, 80), ">80": (80, 1 << 20)}  # pixels high
_SAME = 0.4


@dataclass(frozen=True)
class Marked:
    """A photo's faces as people drew them. `posed` are groups in which everybody who is there was drawn."""

    faces: tuple[Box, ...]
    ignored: tuple[Box, ...]
    posed: bool

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> "Marked":
        """From an entry of the file of boxes."""
        boxes, ignored = (tuple(starmap(Box, entry[key])) for key in ("boxes", "ignore"))
        return cls(boxes, ignored, entry["gt"] == "by hand")

    def scaled(self, across: float, down: float) -> "Marked":
        """The same faces in a photo that is so many times as wide and high."""
        faces, ignored = (tuple(box.scaled(across, down) for box in boxes) for boxes in (self.faces, self.ignored))
        return Marked(faces, ignored, self.posed)

    def turned_left(self, width: float) -> "Marked":
        """The same faces in a photo of this width that was turned a quarter to the left."""
        faces, ignored = (
            tuple(Box(box.y1, width - box.x2, box.y2, width - box.x1) for box in boxes)
            for boxes in (self.faces, self.ignored)
        )
        return Marked(faces, ignored, self.posed)

    @property
    def countable(self) -> list[Box]:
        """The faces of 20 pixels and more."""
        return [box for box in self.faces if box.height >= SMALLEST]


def scores(photos: Mapping[str, Marked], found: Mapping[str, Iterable[Box]]) -> dict[str, Any]:
    """All the shares of one program on one set of photos, with their intervals."""
    hits, sizes = dict.fromkeys(SIZES, 0), dict.fromkeys(SIZES, 0)
    covered = large = whole = with_faces = false = false_posed = 0
    for name, marked in photos.items():
        boxes = list(found.get(name, ()))
        matched = _matched(marked.faces, boxes)
        for number, face in enumerate(marked.faces):
            size = next(size for size, (low, high) in SIZES.items() if low <= face.height < high)
            sizes[size] += 1
            hits[size] += number in matched
        good = [any(_covers(box, face) for box in boxes) for face in marked.countable]
        large, covered = large + len(good), covered + sum(good)
        with_faces, whole = with_faces + bool(good), whole + (bool(good) and all(good))
        wrong = sum(not _touches(box, marked) for box in boxes)
        false, false_posed = false + wrong, false_posed + (wrong if marked.posed else 0)
    posed = sum(marked.posed for marked in photos.values())
    return {
        "recall": {size: share(hits[size], sizes[size]) for size in SIZES},
        "covered": share(covered, large),
        "whole": share(whole, with_faces),
        "false_a_photo": round(false / len(photos), 3),
        "false_a_posed_photo": round(false_posed / posed, 3) if posed else None,
        "photos": len(photos),
        "posed_photos": posed,
    }


def _matched(faces: Iterable[Box], boxes: list[Box]) -> set[int]:
    """The faces that have a found box of their own, the best pairs first."""
    pairs = sorted(
        (
            (overlap(face, box), number, other)
            for number, face in enumerate(faces)
            for other, box in enumerate(boxes)
            if overlap(face, box) >= _SAME
        ),
        reverse=True,
    )
    matched: set[int] = set()
    used: set[int] = set()
    for _, number, other in pairs:
        if number not in matched and other not in used:
            matched.add(number)
            used.add(other)
    return matched


def _covers(found: Box, face: Box) -> bool:
    return face.shared(found) >= 0.5 * face.area and found.area <= 6 * face.area


def _touches(found: Box, marked: Marked) -> bool:
    faces = any(
        mean_the_same(found, box) or found.shared(box) >= 0.3 * min(found.area, box.area) for box in marked.faces
    )
    return faces or any(found.shared(box) >= 0.3 * found.area for box in marked.ignored)
