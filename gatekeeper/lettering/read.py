"""Reads the letters in a picture: one look at all of it, then a closer one wherever that look hints at small letters."""

from typing import Final, Self

import cv2
import numpy as np

from gatekeeper.errors import NotScanned
from gatekeeper.lettering.codes import codes
from gatekeeper.lettering.networks import DETECTION, RECOGNITION, Network
from gatekeeper.lettering.reading import Line, Reading
from gatekeeper.lettering.spots import Spot, Spotter
from gatekeeper.lettering.words import Speller
from gatekeeper.sandbox.wire import Pixels

ENGINE: Final = "pp-ocrv6-small/1"

LONG_SIDE: Final = 1280
MOST_LINES: Final = 300
LONGEST: Final = 300
_SURE: Final = 0.5
_CLEAR: Final = 0.9
_STEEP: Final = 45.0


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
        spots = self._spots(pixels)
        words = self._speller.read([_cut_out(pixels, spot) for spot in spots])
        lines = [
            Line(_inside(spot.bounds(), pixels), word.text[:LONGEST], min(word.score, 1.0))
            for spot, word in zip(spots, words, strict=True)
            if word.text and word.score >= _SURE
        ]
        return sorted(lines, key=lambda line: (line.box[1], line.box[0]))

    def _spots(self, pixels: Pixels) -> list[Spot]:
        small, scale = _shrunk(pixels, LONG_SIDE)
        return [spot.scaled(1 / scale) for spot in self._spotter.spots(self._spotter.heat(small))][:MOST_LINES]


def _cut_out(pixels: Pixels, spot: Spot) -> Pixels:
    """The line lying level, as if the picture had been turned under it."""
    width, height = max(1, round(spot.long)), max(1, round(spot.short))
    target = np.array([[0, 0], [width, 0], [width, height]], np.float32)
    matrix = cv2.getAffineTransform(spot.corners()[:3], target)
    return np.asarray(cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _inside(bounds: tuple[float, float, float, float], pixels: Pixels) -> tuple[float, float, float, float]:
    height, width = pixels.shape[:2]
    x1, y1, x2, y2 = bounds
    return max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height))


def _shrunk(pixels: Pixels, long_side: int) -> tuple[Pixels, float]:
    height, width = pixels.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return pixels, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8), scale
