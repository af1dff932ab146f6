"""Finds registered logos and trade marks in a picture, so that somebody says by whose leave they are shown.

A mark is learnt from one picture of it and found again smaller, turned a little, dulled, or on another ground. Who is
in the picture, and what else, plays no part. A mark that is missed harms no child, so a place counts only where the
likeness is beyond doubt: false alarms would teach people to tick without looking.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from gatekeeper.errors import GatekeeperError
from gatekeeper.lettering.mark_check import Look, likeness_at, look_of, smaller_copies
from gatekeeper.lettering.mark_search import Layout, Pixels, Place, find_places, lay_out
from gatekeeper.lettering.reading import Region

LIKE: Final = 0.7  # from here on it is the mark
SMALLEST: Final = 60  # pixels that the longer side of a mark needs to be learnt
_LEARNT: Final = 256  # the longer side that a mark is learnt at
_PLACES: Final = 20  # looked at for each mark
_MOST: Final = 6  # of one mark in one picture
_SAME_PLACE: Final = 0.2  # overlap
_THIN: Final = 6.0  # times as long as high: hardly anything is left of it in a photo
_ONE_COLOUR: Final = 0.97  # of the rim that has the colour of the ground
_NEAR_GROUND: Final = 24  # steps of colour from the ground, at the rim
_IS_MARK: Final = 40  # ... and from here on it is the mark
_PLAIN: Final = 14.0  # spread of its colours


class CannotLearn(GatekeeperError):
    """A picture that no mark can be learnt from; the text says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What is known of how a mark looks."""

    layout: Layout
    look: Look


@dataclass(frozen=True, slots=True, eq=False)
class KnownMark:
    """A registered mark. `owner` is "school" or "other"."""

    id: int
    name: str
    owner: str
    learnt: Learnt


@dataclass(frozen=True, slots=True)
class SeenMark:
    """A mark seen in a picture: where, and how much alike, up to 1."""

    mark_id: int
    box: Region
    likeness: float


def learn(pixels: Pixels) -> Learnt:
    """What is needed to find the mark on this picture again.

    Raises:
        CannotLearn: with a sentence for the person who chose the picture.
    """
    share = _LEARNT / max(pixels.shape[:2])
    if max(pixels.shape[:2]) < SMALLEST:
        raise CannotLearn(f"The picture is too small. It should be at least {SMALLEST} pixels wide or high.")
    if share < 1:
        size = (max(1, round(pixels.shape[1] * share)), max(1, round(pixels.shape[0] * share)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    picture, shape = _alone(np.ascontiguousarray(pixels))
    height, width = shape.shape
    if max(height, width) < SMALLEST:
        raise CannotLearn("The logo is very small in the picture. Please cut away the empty space around it.")
    if max(height, width) > _THIN * min(height, width):
        raise CannotLearn(
            "This is too long and thin to be found in a photo. Please choose the part with the sign, not the words alone."
        )
    look = look_of(picture, shape)
    if _spread(look) < _PLAIN:
        raise CannotLearn("There is too little in this picture to tell it from other things, such as lines or letters.")
    return Learnt(lay_out(picture), look)


def find_marks(pixels: Pixels, marks: Sequence[KnownMark]) -> list[SeenMark]:
    """Every registered mark in this picture, in the order of the marks, the likeliest place of each first."""
    if not marks or min(pixels.shape[:2]) < 2 * SMALLEST // 5:
        return []
    copies = smaller_copies(np.ascontiguousarray(pixels))
    places = find_places(copies[0], [mark.learnt.layout for mark in marks], most=_PLACES)
    return [seen for mark, where in zip(marks, places, strict=True) for seen in _seen(copies, mark, where)]


def _seen(copies: Sequence[Pixels], mark: KnownMark, places: Sequence[Place]) -> list[SeenMark]:
    found = [answer for place in places if (answer := likeness_at(copies, mark.learnt.look, place)) is not None]
    kept: list[SeenMark] = []
    for alike, box in sorted(found, reverse=True):
        if alike < LIKE or len(kept) == _MOST:
            break
        if all(_overlap(box, other.box) < _SAME_PLACE for other in kept):
            kept.append(SeenMark(mark.id, box, round(min(alike, 1.0), 3)))
    return kept


def _spread(look: Look) -> float:
    """How much the colours differ inside the mark, its outline left out: a disc is not told from a ball."""
    inner = cv2.erode(look.shape, np.ones((5, 5), np.uint8)) > 0
    inside = look.picture[inner if inner.any() else look.shape > 0]
    return float(inside.astype(np.float32).std(0).mean())


def _alone(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """The mark without the empty space around it, and its shape: all of it, where it has no plain ground."""
    rim = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).astype(np.int16)
    ground = np.median(rim, axis=0).astype(np.int16)
    if (np.abs(rim - ground).max(1) < _NEAR_GROUND).mean() < _ONE_COLOUR:
        return pixels, np.full(pixels.shape[:2], 255, np.uint8)
    marked = (np.abs(pixels.astype(np.int16) - ground).max(2) >= _IS_MARK).astype(np.uint8)
    marked = cv2.morphologyEx(marked, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    points = cv2.findNonZero(marked)
    if points is None:
        raise CannotLearn("The picture shows nothing but one colour.")
    shape = np.zeros_like(marked)
    cv2.fillConvexPoly(shape, cv2.convexHull(points), 255)
    left, top, width, height = cv2.boundingRect(points)
    inside = (slice(top, top + height), slice(left, left + width))
    return np.ascontiguousarray(pixels[inside]), np.ascontiguousarray(shape[inside])


def _overlap(one: Region, other: Region) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    both = across * down
    return both / ((one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - both)
