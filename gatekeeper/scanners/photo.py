"""Looks for faces in a photo as it was taken and in the rendition that may become public.

Detectors only ever add boxes. A box in the rendition that belongs to no box a person has seen is a new, unknown face;
one where a face was covered means that the cover did not hold. Either blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gatekeeper.faces.boxes import Box, mean_the_same
from gatekeeper.posts.media import Cut, unmap_box

#: names the joined detectors and their settings: another engine looks at every photo again
ENGINE = "yunet1600+centerface/1"


@dataclass(frozen=True, kw_only=True)
class Known:
    """A box that already stands on the photo, in pixels of the upright original."""

    id: int
    box: Box
    covered: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the rendition showed beside what is known."""

    new: tuple[tuple[Box, float], ...]
    still_visible: tuple[int, ...]


def compare(seen: Sequence[Sequence[float]], known: Sequence[Known], *, cut: Cut, scale: float) -> Comparison:
    """Sort the boxes found in a rendition (rows of x1, y1, x2, y2, score in its pixels) into new ones and failed covers."""
    new: list[tuple[Box, float]] = []
    still: set[int] = set()
    for x1, y1, x2, y2, score in seen:
        box = Box(*unmap_box((x1, y1, x2, y2), crop=cut, scale=scale))
        same = [face for face in known if mean_the_same(box, face.box)]
        if not same:
            new.append((box, score))
        elif all(face.covered for face in same):
            still.update(face.id for face in same)
    return Comparison(new=tuple(new), still_visible=tuple(sorted(still)))
