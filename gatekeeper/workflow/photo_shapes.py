"""What is drawn over a photo, for any page that shows one: told by number and sign, by its line, and by words.

A shape says nothing by colour alone. Two in every hundred people who look at these pages see red and green alike.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["open", "cleared", "covered", "no-face", "away", "patch", "finding"]
Corners = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One box over a picture.

    Attributes:
        kind: which line it has: thick, plain, filled, dashed, dotted, hatched or double.
        tag: its number and sign, drawn beside it.
        words: what it is, for whoever cannot see it.
        target: the id of the part of the page that speaks of it; empty on pages that only show.
    """

    kind: Kind
    tag: str
    words: str
    x: float
    y: float
    width: float
    height: float
    target: str = ""


def shape(kind: Kind, tag: str, words: str, corners: Corners, *, target: str = "") -> Shape:
    """A shape out of two corners, to a tenth of a pixel."""
    x1, y1, x2, y2 = corners
    return Shape(
        kind=kind,
        tag=tag,
        words=words,
        x=round(x1, 1),
        y=round(y1, 1),
        width=round(max(x2 - x1, 0), 1),
        height=round(max(y2 - y1, 0), 1),
        target=target,
    )
