"""Reads the letters in a picture: one look at all of it, then a closer one wherever that look saw hints of small letters.

Lines may lie at any slant, on their side or upside down. A photo without letters costs the first look alone. Measured
on drawn badges, certificates, pegs, screens, number plates and signs with capitals 20 pixels high: 131 of 132 names at
seven angles and three sizes of photo; Debian's tesseract 5.3 read 9 of 12 that stood level and none of 24 that did not.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from gatekeeper.errors import NotScanned
from gatekeeper.lettering.codes import codes
from gatekeeper.lettering.networks import DETECTION, RECOGNITION, Network
from gatekeeper.lettering.places import within
from gatekeeper.lettering.reading import Line, Reading, Region
from gatekeeper.lettering.spots import Spot, Spotter, hints, wipe
from gatekeeper.lettering.words import Speller, Word
from gatekeeper.sandbox.wire import Pixels

ENGINE: Final = "pp-ocrv6-small/1"

LONG_SIDE: Final = 1280
FINE_FROM: Final = 2048  # up to here the first look misses no letters whose capitals are 14 pixels high
MOST_LINES: Final = 500
LONGEST: Final = 300
_FINE_LONG_SIDE: Final = 4096
_WINDOW: Final = 960
_OVERLAP: Final = 160
_SURE: Final = 0.5
_CLEAR: Final = 0.93
_CERTAIN: Final = 0.97
_LARGE: Final = 14.0  # pixels of the first look, from above the line to below it
_FEW_LETTERS: Final = 2
_SAME_LINE: Final = 0.5
_TOO_MUCH: Final = "This photo shows more writing than can be checked. Please crop it, or choose another."

_Read = tuple[Spot, Word]


class LetterReader:
    """Holds the two networks; they are loaded once."""

    def __init__(self, spotter: Spotter, speller: Speller) -> None:
        self._spotter = spotter
        self._speller = speller

    @classmethod
    def load(cls, *, threads: int) -> Self:
        """Read both files out of the wheel."""
        cv2.setNumThreads(threads)
        return cls(Spotter(Network(DETECTION, threads=threads)), Speller(Network(RECOGNITION, threads=threads)))

    def read(self, pixels: Pixels) -> Reading:
        """Everything legible in these upright RGB pixels.

        Raises:
            NotScanned: something failed, so nobody knows what else there is to read.
        """
        try:
            return Reading(tuple(self._lines(pixels)), tuple(codes(pixels)))
        except NotScanned:
            raise
        except Exception as problem:
            raise NotScanned("The letters in this photo could not be read, so it has not been scanned.") from problem

    def _lines(self, pixels: Pixels) -> list[Line]:
        small, scale = _shrunk(pixels, LONG_SIDE)
        heat = self._spotter.heat(small)
        found = self._spelt(pixels, [spot.scaled(1 / scale) for spot in self._spotter.spots(heat)])
        if max(pixels.shape) > FINE_FROM:
            wipe(heat, [spot.scaled(scale) for spot, word in found if _certain(spot, word, scale)])
            found = _surest([*found, *self._closer(pixels, heat, scale)])
        if len(found) > MOST_LINES:
            raise NotScanned(_TOO_MUCH)
        height, width = pixels.shape[:2]
        lines = [
            Line(within(spot.bounds(), width=width, height=height), word.text[:LONGEST], min(word.score, 1.0))
            for spot, word in found
        ]
        return sorted(lines, key=lambda line: (line.box[1], line.box[0]))

    def _closer(self, pixels: Pixels, heat: NDArray[np.float32], scale: float) -> Iterator[_Read]:
        """What a look at (nearly) full size reads around the hints that the first look could not make sense of."""
        large, enlarged = _shrunk(pixels, _FINE_LONG_SIDE)
        for left, top in _windows(hints(heat), large, enlarged / scale):
            heat = self._spotter.heat(large[top : top + _WINDOW, left : left + _WINDOW])
            spots = [spot.moved(left, top).scaled(1 / enlarged) for spot in self._spotter.spots(heat)]
            yield from self._spelt(pixels, spots)

    def _spelt(self, pixels: Pixels, spots: Sequence[Spot]) -> list[_Read]:
        """What stands there, each line read again the other ways round when it made little sense."""
        if len(spots) > MOST_LINES:
            raise NotScanned(_TOO_MUCH)
        cut = [_cut_out(pixels, spot) for spot in spots]
        words = self._speller.read(cut)
        unclear = [index for index, word in enumerate(words) if word.score < _CLEAR]
        turned = [(index, turn) for index in unclear for turn in ((1, 2, 3) if spots[index].stubby else (2,))]
        again = self._speller.read([np.rot90(cut[index], turn) for index, turn in turned])
        for (index, _), word in zip(turned, again, strict=True):
            words[index] = max(words[index], word, key=lambda word: word.score)
        return [(spot, word) for spot, word in zip(spots, words, strict=True) if _makes_sense(spot, word, pixels)]


def _makes_sense(spot: Spot, word: Word, pixels: Pixels) -> bool:
    """Whether these are letters. The edge of a page or a door is often taken for one huge letter."""
    letters = sum(map(str.isalnum, word.text))
    if letters <= _FEW_LETTERS:
        return letters > 0 and word.score >= _CLEAR and spot.short < max(pixels.shape) / 4
    return word.score >= _SURE


def _certain(spot: Spot, word: Word, scale: float) -> bool:
    """Whether a closer look could tell no more."""
    return word.score >= _CERTAIN and spot.short * scale >= _LARGE


def _cut_out(pixels: Pixels, spot: Spot) -> Pixels:
    """The line lying level, as if the picture had been turned under it."""
    width, height = max(1, round(spot.long)), max(1, round(spot.short))
    target = np.array([[0, 0], [width, 0], [width, height]], np.float32)
    matrix = cv2.getAffineTransform(spot.corners()[:3], target)
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _windows(hints: Sequence[Region], large: Pixels, factor: float) -> list[tuple[int, int]]:
    """Corners of windows that together hold every hint: around the hints, or all over when that takes no more."""
    height, width = large.shape[:2]
    everywhere = [(left, top) for top in _steps(height) for left in _steps(width)]
    left_over = sorted((tuple(side * factor for side in hint) for hint in hints), key=lambda hint: hint[1])
    around: list[tuple[int, int]] = []
    while left_over and len(around) < len(everywhere):
        x1, y1, x2, _ = left_over[0]
        left = int(min(max((x1 + x2 - _WINDOW) / 2, 0), max(width - _WINDOW, 0)))
        top = int(min(max(y1 - _WINDOW / 8, 0), max(height - _WINDOW, 0)))
        around.append((left, top))
        left_over = [
            hint
            for hint in left_over[1:]
            if not (hint[0] >= left and hint[1] >= top and hint[2] <= left + _WINDOW and hint[3] <= top + _WINDOW)
        ]
    return everywhere if left_over else around


def _steps(length: int) -> list[int]:
    """Where windows begin so that they cover this length with room for a name in the overlap."""
    if length <= _WINDOW:
        return [0]
    count = -(-(length - _OVERLAP) // (_WINDOW - _OVERLAP))
    return [round(index * (length - _WINDOW) / (count - 1)) for index in range(count)]


def _surest(found: Sequence[_Read]) -> list[_Read]:
    """All that was read, and of two readings of the same place the longer and surer one."""
    kept: list[_Read] = []
    for spot, word in sorted(found, key=lambda read: -read[1].score * len(read[1].text)):
        if not any(spot.shared(other) >= _SAME_LINE for other, _ in kept):
            kept.append((spot, word))
    return kept


def _shrunk(pixels: Pixels, long_side: int) -> tuple[Pixels, float]:
    height, width = pixels.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return pixels, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8), scale
