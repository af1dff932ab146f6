"""Boxes around faces, in pixels of the upright picture, and when two of them mean the same face."""

from dataclasses import dataclass
from typing import Final, Self

SAME_FACE_OVERLAP: Final = 0.4
INSIDE: Final = 0.8
SAME_FACE_SIZE: Final = (
    9.0  # inside a box of more than nine times its area it is another face: a badge, a poster, a baby
)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: x to the right, y down, the second corner beyond the first."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        """Zero for a box that is turned inside out."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    def as_list(self) -> list[float]:
        """x1, y1, x2, y2, as JSON wants them."""
        return [self.x1, self.y1, self.x2, self.y2]

    def shared(self, other: Self) -> float:
        """The area both boxes cover."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        return width * height if width > 0 and height > 0 else 0.0

    def clipped(self, width: float, height: float) -> "Box":
        """The part inside a picture of this size."""
        return Box(
            min(max(self.x1, 0.0), width),
            min(max(self.y1, 0.0), height),
            min(max(self.x2, 0.0), width),
            min(max(self.y2, 0.0), height),
        )

    def scaled(self, across: float, down: float) -> "Box":
        """The same box in a picture that is so many times as wide and high."""
        return Box(self.x1 * across, self.y1 * down, self.x2 * across, self.y2 * down)

    def moved(self, right: float, down: float) -> "Box":
        """The same box further right and down."""
        return Box(self.x1 + right, self.y1 + down, self.x2 + right, self.y2 + down)


@dataclass(frozen=True, slots=True)
class Face:
    """A face somebody found: where, how sure (0 to 1), and which detector says so."""

    box: Box
    score: float
    detector: str


def overlap(one: Box, other: Box) -> float:
    """Shared area over joined area: 1 for the same box, 0 for boxes apart."""
    shared = one.shared(other)
    return shared / (one.area + other.area - shared) if shared else 0.0


def containment(one: Box, other: Box) -> float:
    """How much of the smaller box lies in the larger."""
    smaller = min(one.area, other.area)
    return one.shared(other) / smaller if smaller else 0.0


def mean_the_same(one: Box, other: Box) -> bool:
    """Whether two boxes are two views of one face. In doubt they are not: an extra box costs a look, a lost one a child."""
    if overlap(one, other) >= SAME_FACE_OVERLAP:
        return True
    larger, smaller = max(one.area, other.area), min(one.area, other.area)
    return containment(one, other) >= INSIDE and larger <= SAME_FACE_SIZE * smaller
