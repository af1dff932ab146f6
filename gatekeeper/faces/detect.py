"""Finds every face in a picture, whichever way up it lies and however small it is.

A quick look in all four turns says which way is up. The full look happens there. Where the quick look is sure of a
face the full one does not know, that turn is looked at in full too. Crowds of small faces are looked at once more in
tiles at full size. Anything that fails is "not scanned": an empty list only ever means that all of it was looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np

from gatekeeper.errors import NotScanned
from gatekeeper.faces.boxes import Box, Face, mean_the_same
from gatekeeper.faces.detectors import CenterFace, CenterFaceNet, Detector, Pixels, YuNet
from gatekeeper.faces.sightings import Sighting, merge

__all__ = ["Detector", "Face", "FaceFinder", "Pixels"]

LONG_SIDE: Final = 1600
_FINE_FROM: Final = 1280
_SURE_IN_A_TURN: Final = 0.8
_SEEN_IN_A_TURN: Final = 0.6
_SHOWS_WHAT_IS_UP: Final = 0.7
_STRICTER_IN_A_TURN: Final = 0.2  # a face lying on its side is rare, a pattern that looks like one is not
_FEW: Final = 1

TILE: Final = 1280
_TILE_OVERLAP: Final = 160
_CAREFUL_LONG_SIDE: Final = 4800
_CAREFUL_FROM: Final = 1.25 * LONG_SIDE
_SMALL_FACE: Final = 24.0  # pixels high when the long side is 1600
_SMALL_FACES: Final = 3
_MANY_FACES: Final = 40


@dataclass(frozen=True, slots=True)
class FaceFinder:
    """Several looks at one picture. `fine` is worth its time only where a picture is large enough to hold more."""

    quick: Detector
    full: Sequence[Detector]
    fine: Sequence[Detector]
    turned: Sequence[Detector]
    tiled: Sequence[Detector]

    @classmethod
    def load(cls) -> Self:
        """Load both models; whoever asks for that stays alive, because it costs a third of a second."""
        network = CenterFaceNet.load()
        quick = YuNet(long_side=640, sure=0.6)
        return cls(
            quick=quick,
            full=(YuNet(long_side=LONG_SIDE, sure=0.6), CenterFace(network, long_side=960, sure=0.35)),
            fine=(CenterFace(network, long_side=_FINE_FROM, sure=0.4),),
            turned=(YuNet(long_side=960, sure=0.6), CenterFace(network, long_side=960, sure=0.4)),
            tiled=(YuNet(long_side=TILE, sure=0.6), CenterFace(network, long_side=TILE, sure=0.45)),
        )

    def detect(self, pixels: Pixels) -> list[Face]:
        """Every face in these upright RGB pixels.

        Raises:
            NotScanned: a detector failed, so nobody knows what it would have seen.
        """
        try:
            return self._look(pixels)
        except NotScanned:
            raise
        except Exception as problem:
            raise NotScanned("A face detector failed on this photo, so it has not been scanned.") from problem

    def _look(self, pixels: Pixels) -> list[Face]:
        height, width = pixels.shape[:2]
        base = _shrunk(pixels, LONG_SIDE)
        quick = [_turned_back(self.quick, base, turn) for turn in range(4)]
        strength = [sum(face.score for face in faces if face.score >= _SHOWS_WHAT_IS_UP) for faces in quick]
        up = max(range(4), key=lambda turn: (strength[turn], -turn))
        seen = [Sighting(face, face.score >= self.quick.sure) for face in quick[up]]
        full = (*self.full, *self.fine) if max(base.shape) >= _FINE_FROM else self.full
        seen += _sightings(full, base, up)
        known = merge(seen)
        unclear = len(known) <= _FEW or not any(strength)
        for turn in range(4):
            if turn == up:
                continue
            glimpsed = [face for face in quick[turn] if face.score >= _SEEN_IN_A_TURN]
            sure = [face for face in glimpsed if face.score >= _SURE_IN_A_TURN]
            seen += [Sighting(face, face in sure) for face in glimpsed]
            if any(not any(mean_the_same(face.box, other.box) for other in known) for face in sure):
                seen += _sightings(self.full, base, turn, stricter=_STRICTER_IN_A_TURN)
            elif unclear:
                seen += _sightings(self.turned, base, turn, stricter=_STRICTER_IN_A_TURN)
        across, down = width / base.shape[1], height / base.shape[0]
        seen = [_resized(sighting, across, down) for sighting in seen]
        if _needs_care(merge(seen), pixels):
            seen += self._tiles(pixels, up)
        return [Face(face.box.clipped(width, height), face.score, face.detector) for face in merge(seen)]

    def _tiles(self, pixels: Pixels, turn: int) -> Iterator[Sighting]:
        """The same picture piece by piece at (nearly) full size, for the back rows of a crowded hall."""
        large = _shrunk(pixels, _CAREFUL_LONG_SIDE)
        across, down = pixels.shape[1] / large.shape[1], pixels.shape[0] / large.shape[0]
        for top in _steps(large.shape[0]):
            for left in _steps(large.shape[1]):
                tile = large[top : top + TILE, left : left + TILE]
                for sighting in _sightings(self.tiled, tile, turn):
                    if not _cut_by_edge(sighting.face.box, tile, large, left=left, top=top):
                        placed = Face(sighting.face.box.moved(left, top), sighting.face.score, sighting.face.detector)
                        yield _resized(Sighting(placed, sighting.sure), across, down)


def _sightings(
    detectors: Sequence[Detector], pixels: Pixels, turn: int, *, stricter: float = 0.0
) -> Iterator[Sighting]:
    for detector in detectors:
        for face in _turned_back(detector, pixels, turn):
            if not stricter or face.score >= detector.sure:
                yield Sighting(face, face.score >= detector.sure + stricter)


def _turned_back(detector: Detector, pixels: Pixels, turn: int) -> list[Face]:
    """What a detector sees when the picture is turned so many quarters to the left, in the picture as it lies."""
    height, width = pixels.shape[:2]
    faces = detector.detect(np.ascontiguousarray(np.rot90(pixels, turn)))
    if turn == 0:
        return faces
    return [Face(_box_turned_back(face.box, turn, width, height), face.score, face.detector) for face in faces]


def _box_turned_back(box: Box, turn: int, width: float, height: float) -> Box:
    if turn == 1:
        return Box(width - box.y2, box.x1, width - box.y1, box.x2)
    if turn == 2:  # noqa: PLR2004
        return Box(width - box.x2, height - box.y2, width - box.x1, height - box.y1)
    return Box(box.y1, height - box.x2, box.y2, height - box.x1)


def _shrunk(pixels: Pixels, long_side: int) -> Pixels:
    height, width = pixels.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _resized(sighting: Sighting, across: float, down: float) -> Sighting:
    face = sighting.face
    return Sighting(Face(face.box.scaled(across, down), face.score, face.detector), sighting.sure)


def _needs_care(faces: Sequence[Face], pixels: Pixels) -> bool:
    """Whether the photo holds more than was looked at, and small or many faces to look for in it."""
    long_side = max(pixels.shape[:2])
    if long_side < _CAREFUL_FROM:
        return False
    small = sum(face.box.height * LONG_SIDE / long_side < _SMALL_FACE for face in faces)
    return small >= _SMALL_FACES or len(faces) >= _MANY_FACES


def _steps(length: int) -> list[int]:
    """Where tiles begin so that they cover this length with enough overlap for a whole face."""
    if length <= TILE:
        return [0]
    count = -(-(length - _TILE_OVERLAP) // (TILE - _TILE_OVERLAP))
    return [round(index * (length - TILE) / (count - 1)) for index in range(count)]


def _cut_by_edge(box: Box, tile: Pixels, whole: Pixels, *, left: int, top: int) -> bool:
    """Whether an inner edge of the tile cuts this face: the neighbouring tile sees it whole, or the look before did."""
    height, width = tile.shape[:2]
    return (
        (box.x1 <= 1 and left > 0)
        or (box.y1 <= 1 and top > 0)
        or (box.x2 >= width - 1 and left + width < whole.shape[1])
        or (box.y2 >= height - 1 and top + height < whole.shape[0])
    )
