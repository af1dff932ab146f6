"""Keeps a box inside its picture, and never lets it shrink to nothing: a box without area could not be covered."""

from gatekeeper.lettering.reading import Region


def within(box: Region, *, width: int, height: int) -> Region:
    """The part of the box inside a picture of this size, at least one pixel wide and high."""
    x1, y1, x2, y2 = box
    left, top = min(max(x1, 0.0), width - 1.0), min(max(y1, 0.0), height - 1.0)
    return left, top, max(min(x2, float(width)), left + 1), max(min(y2, float(height)), top + 1)
