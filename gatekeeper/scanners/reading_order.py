"""In which order somebody reads the lines of a picture: what stands under each other, and what stands beside each other.

A certificate writes a first name above the surname; a detector of lines cuts one line into two where there is a gap;
and a wall of badges holds a dozen names that have nothing to do with each other.
"""

from collections.abc import Callable, Sequence
from typing import Final

from gatekeeper.lettering.reading import Line

_GAP_BELOW: Final = 1.2  # times the height of the letters
_GAP_BESIDE: Final = 2.0
_SHARED_WIDTH: Final = 0.3
_SHARED_HEIGHT: Final = 0.5
_OTHER_SIZE: Final = 2.6  # letters so many times as high belong to something else


def reading_orders(lines: Sequence[Line]) -> list[list[list[Line]]]:
    """Groups of lines that belong together, once by columns and once by rows; each in the order it is read."""
    columns = [sorted(group, key=lambda line: line.box[1]) for group in _groups(lines, _is_under)]
    rows = [sorted(group, key=lambda line: line.box[0]) for group in _groups(lines, _is_beside)]
    return [columns, rows] if any(len(row) > 1 for row in rows) else [columns]


def _groups(lines: Sequence[Line], belong: Callable[[Line, Line], bool]) -> list[list[Line]]:
    """Lines that belong together, directly or through others."""
    groups: list[list[Line]] = []
    for line in lines:
        mine = [group for group in groups if any(belong(one, line) for one in group)]
        joined = [one for group in mine for one in group]
        groups = [group for group in groups if group not in mine]
        groups.append([*joined, line])
    return groups


def _is_under(one: Line, other: Line) -> bool:
    upper, lower = sorted((one.box, other.box), key=lambda box: box[1])
    heights = sorted((upper[3] - upper[1], lower[3] - lower[1]))
    shared = min(upper[2], lower[2]) - max(upper[0], lower[0])
    narrower = min(upper[2] - upper[0], lower[2] - lower[0])
    close = lower[1] - upper[3] <= _GAP_BELOW * heights[1] and lower[1] > upper[1] + heights[0] * _SHARED_HEIGHT
    return close and shared >= _SHARED_WIDTH * narrower and heights[1] <= _OTHER_SIZE * heights[0]


def _is_beside(one: Line, other: Line) -> bool:
    left, right = sorted((one.box, other.box), key=lambda box: box[0])
    heights = sorted((left[3] - left[1], right[3] - right[1]))
    shared = min(left[3], right[3]) - max(left[1], right[1])
    close = right[0] - left[2] <= _GAP_BESIDE * heights[1]
    return close and shared >= _SHARED_HEIGHT * heights[0] and heights[1] <= _OTHER_SIZE * heights[0]
