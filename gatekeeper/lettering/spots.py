"""Finds where letters are: the detection network of PP-OCRv6 and the slanted rectangles around what it marks."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gatekeeper.lettering.networks import Network
from gatekeeper.lettering.reading import Region
from gatekeeper.sandbox.wire import Pixels

MULTIPLE: Final = 32
_MARKED: Final = 0.3
_SURE: Final = 0.45
_GROWN: Final = 1.6  # the network marks the core of a line; so many times its area over its outline is added around it
_LEAST_SIDE: Final = 3.0
_HINT: Final = 0.2
_STUBBY: Final = 1.6


@dataclass(frozen=True, slots=True)
class Spot:
    """A slanted rectangle that seems to hold one line of letters: centre, sides and angle of the long side, degrees."""

    x: float
    y: float
    long: float
    short: float
    angle: float

    @property
    def stubby(self) -> bool:
        """Whether its shape does not tell which way its line runs."""
        return self.long < _STUBBY * self.short

    def scaled(self, factor: float) -> "Spot":
        """The same spot in a picture that is so many times as large."""
        return Spot(self.x * factor, self.y * factor, self.long * factor, self.short * factor, self.angle)

    def moved(self, right: float, down: float) -> "Spot":
        """The same spot further right and down."""
        return Spot(self.x + right, self.y + down, self.long, self.short, self.angle)

    def corners(self) -> NDArray[np.float32]:
        """Top left, top right, bottom right and bottom left, as seen by somebody who reads along the long side."""
        along = np.array([math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))])
        across = np.array([-along[1], along[0]])
        middle = np.array([self.x, self.y])
        right, down = along * self.long / 2, across * self.short / 2
        return np.array(
            [middle - right - down, middle + right - down, middle + right + down, middle - right + down], np.float32
        )

    def shared(self, other: "Spot") -> float:
        """How much of the smaller lies in the larger."""
        one, two = (((spot.x, spot.y), (spot.long, spot.short), spot.angle) for spot in (self, other))
        _, outline = cv2.rotatedRectangleIntersection(one, two)
        smaller = min(self.long * self.short, other.long * other.short)
        return 0.0 if outline is None else float(cv2.contourArea(cv2.convexHull(outline))) / smaller

    def bounds(self) -> Region:
        """The upright box around it."""
        (left, top), (right, bottom) = self.corners().min(axis=0), self.corners().max(axis=0)
        return float(left), float(top), float(right), float(bottom)


class Spotter:
    """Marks letters in pixels of the size it is given."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def heat(self, pixels: Pixels) -> NDArray[np.float32]:
        """How much each pixel looks like the core of a line, 0 to 1."""
        height, width = pixels.shape[:2]
        down, right = -height % MULTIPLE, -width % MULTIPLE
        framed = cv2.copyMakeBorder(pixels, 0, down, 0, right, cv2.BORDER_REPLICATE)
        values = np.asarray(
            cv2.dnn.blobFromImage(framed, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True), np.float32
        )
        heat: NDArray[np.float32] = self._network.run(values)[0, 0, :height, :width]
        return heat

    def spots(self, heat: NDArray[np.float32]) -> Iterator[Spot]:
        """The slanted rectangles around what is marked."""
        marked = cv2.dilate((heat > _MARKED).astype(np.uint8), np.ones((2, 2), np.uint8))
        outlines: Any = cv2.findContours(marked, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[-2]
        for outline in outlines:  # all of them: specks must not hide a line, and too many lines are refused
            (x, y), (width, height), angle = cv2.minAreaRect(outline)
            if min(width, height) < _LEAST_SIDE or _mean_within(heat, outline) < _SURE:
                continue
            grown = _GROWN * width * height / (width + height)  # area over outline, once for each side
            if width < height:
                width, height, angle = height, width, angle + 90
            yield Spot(x, y, width + grown, height + grown, _upright(angle))


def hints(heat: NDArray[np.float32]) -> list[Region]:
    """Boxes around everything that looks even faintly like letters."""
    count, _, found, _ = cv2.connectedComponentsWithStats((heat > _HINT).astype(np.uint8))
    return [(float(x), float(y), float(x + width), float(y + height)) for x, y, width, height, _ in found[1:count]]


def wipe(heat: NDArray[np.float32], spots: Sequence[Spot]) -> None:
    """Forget the hints within these."""
    for spot in spots:
        cv2.fillPoly(heat, [spot.corners().round().astype(np.int32)], 0.0)


def _upright(angle: float) -> float:
    """The same slant, between -90 and 90 degrees."""
    return (angle + 90) % 180 - 90


def _mean_within(heat: NDArray[np.float32], outline: Any) -> float:
    x, y, width, height = cv2.boundingRect(outline)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [outline - (x, y)], 1)
    return float(cv2.mean(heat[y : y + height, x : x + width], mask)[0])
