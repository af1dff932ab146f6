"""Whether a mark really is at a place: laid over it as closely as it goes, and compared point by point.

The place is known only roughly, so the mark is first shifted, turned and stretched until its edges lie on the
picture's edges. Then the colours are compared, each less its own average, so that a dull day and a warm lamp change
nothing. What surrounds the mark is left out. The result, 1 for the very same and about 0 for anything else, was
measured against a perceptual hash of 63 bits of the same cut-out, and tells marks from other things far better.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gatekeeper.lettering.mark_search import Floats, Pixels, Place
from gatekeeper.lettering.reading import Region

FINE: Final = 40  # the longer side of the mark when it is compared
_RIM: Final = 6  # around it
_ROOM: Final = 12  # that it may move in
_STEPS: Final = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 2e-3)
_SWELL: Final = (0.5, 2.0)  # it may grow or shrink by no more
_INSIDE: Final = 0.6  # of it that lies in the picture


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A mark as it is compared: small, with a rim, and which of its points count."""

    picture: Pixels
    slopes: Floats
    shape: Pixels  # 255 where it is the mark
    around: Pixels  # ... and a little beyond, for the edges

    @property
    def size(self) -> tuple[int, int]:
        """Width and height without the rim."""
        return self.picture.shape[1] - 2 * _RIM, self.picture.shape[0] - 2 * _RIM


def look_of(picture: Pixels, shape: Pixels) -> Look:
    """The look of a mark that fills this picture and has this shape."""
    share = FINE / max(picture.shape[:2])
    size = (max(_RIM, round(picture.shape[1] * share)), max(_RIM, round(picture.shape[0] * share)))
    small, small_shape = (_small(one, size) for one in (picture, shape))
    small = np.asarray(cv2.copyMakeBorder(small, _RIM, _RIM, _RIM, _RIM, cv2.BORDER_REPLICATE), np.uint8)
    filled = np.where(small_shape > 127, 255, 0).astype(np.uint8)  # noqa: PLR2004 - more than half of the point
    filled = np.pad(filled, _RIM)
    return Look(small, _slopes(small), filled, np.asarray(cv2.dilate(filled, np.ones((5, 5), np.uint8)), np.uint8))


def smaller_copies(picture: Pixels) -> list[Pixels]:
    """The picture, half of it, a quarter, and so on: cut-outs of large places are taken from small copies."""
    copies = [picture]
    while min(copies[-1].shape[:2]) > 2 * FINE:
        height, width = copies[-1].shape[:2]
        copies.append(_small(copies[-1], (width // 2, height // 2)))
    return copies


def likeness_at(copies: Sequence[Pixels], look: Look, place: Place) -> tuple[float, Region] | None:
    """How much alike, and the box around it; None where the mark cannot be laid over what is there."""
    width, height = look.picture.shape[1], look.picture.shape[0]
    onto, half = _rough(look, place, len(copies))
    rough = _laid(copies[half], onto, (width + 2 * _ROOM, height + 2 * _ROOM))
    best: tuple[float, Floats] | None = None
    start = np.array([[1, 0, _ROOM], [0, 1, _ROOM]], dtype=np.float32)
    for mark, there in ((look.slopes, _slopes(rough)), (_soft(look.picture), _soft(rough))):
        fit = _fit(mark, there, look.around, start)
        if fit is None:
            continue
        alike = _alike(look.picture, _laid(rough, fit, (width, height)), look.shape)
        start = fit
        if best is None or alike > best[0]:
            best = alike, fit
    if best is None:
        return None
    box = _box(look, onto @ np.vstack([best[1], [0, 0, 1]]), 2**half)
    whole = (float(copies[0].shape[1]), float(copies[0].shape[0]))
    return (best[0], _cut(box, whole)) if _share_inside(box, whole) >= _INSIDE else None


def _rough(look: Look, place: Place, copies: int) -> tuple[Floats, int]:
    """From points of the roomy cut-out to those of one of the copies, and which copy that is."""
    width, height = look.size
    scale = place.long_side / max(width, height)
    half = min(copies - 1, int(math.log2(scale))) if scale > 1 else 0
    turn = math.radians(-place.turn)
    cosine, sine = math.cos(turn) * scale, math.sin(turn) * scale
    matrix = np.array([[cosine, -sine], [sine, cosine]])
    middle = np.array([width, height]) / 2 - 0.5 + _RIM + _ROOM
    shift = np.array([place.x, place.y]) - 0.5 - matrix @ middle
    onto = np.hstack([matrix, shift[:, None]]) / 2**half
    onto[:, 2] += 0.5 / 2**half - 0.5  # a pixel of a small copy lies between those it was made of
    return onto.astype(np.float32), half


def _small(picture: Pixels, size: tuple[int, int]) -> Pixels:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _laid(picture: Pixels, onto: Floats, size: tuple[int, int]) -> Pixels:
    """The cut-out of this size whose points lie there in the picture."""
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, onto, size, flags=how, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _slopes(picture: Pixels) -> Floats:
    grey = cv2.GaussianBlur(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32), (0, 0), 0.8)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    return np.asarray(cv2.GaussianBlur(np.sqrt(np.hypot(across, down)), (0, 0), 1.2), np.float32)


def _soft(picture: Pixels) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 1.0), np.float32)


def _fit(mark: Floats, there: Floats, around: Pixels, start: Floats) -> Floats | None:
    """The shift, turn and stretch under which both agree best; None where there is none."""
    everywhere = np.full(there.shape[:2], 255, np.uint8)
    try:
        _, fit = cv2.findTransformECCWithMask(
            mark, there, around, everywhere, start.copy(), cv2.MOTION_AFFINE, _STEPS, 3
        )
    except cv2.error:  # the two have nothing in common
        return None
    laid = np.asarray(fit, np.float32)
    return laid if _SWELL[0] < float(np.linalg.det(laid[:, :2])) < _SWELL[1] else None


def _alike(mark: Pixels, there: Pixels, shape: Pixels) -> float:
    """The correlation of the colours inside the shape, each channel less its average."""
    inside = shape > 0
    one, other = mark[inside].astype(np.float32), there[inside].astype(np.float32)
    one, other = one - one.mean(0), other - other.mean(0)
    return float((one * other).sum() / (np.linalg.norm(one) * np.linalg.norm(other) + 1.0))


def _box(look: Look, onto: NDArray[np.floating], scale: int) -> Region:
    width, height = look.size
    corners = np.array([[0, width, width, 0], [0, 0, height, height]]) + _RIM
    xs, ys = (onto @ np.vstack([corners, np.ones(4)])) * scale
    return float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max())


def _cut(box: Region, whole: tuple[float, float]) -> Region:
    return max(box[0], 0.0), max(box[1], 0.0), min(box[2], whole[0]), min(box[3], whole[1])


def _share_inside(box: Region, whole: tuple[float, float]) -> float:
    left, top, right, bottom = _cut(box, whole)
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(right - left, 0.0) * max(bottom - top, 0.0) / area if area > 0 else 0.0
