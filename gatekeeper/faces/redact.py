"""Covers a face so that nobody, and no program, can bring it back.

Blur and pixelation alone can be undone or matched: McPherson, Shokri and Shmatikov, "Defeating Image Obfuscation with
Deep Learning" (2016), recognise faces in pictures pixelated to 16 x 16 blocks and blurred by video sites' own tools.
So nothing of the face is kept but one average colour of its surroundings: the whole head is replaced by an oval of
that colour with coarse random blocks and a soft inside, drawn from the operating system's randomness. There is no
detail left to restore; only the published pixels are changed, and only in a copy.
"""

import secrets
from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gatekeeper.faces.boxes import Box

Pixels = NDArray[np.uint8]

_WIDER: Final = 1.7  # a found box runs from the eyebrows to the chin; hair and ears tell who it is, too
_HIGHER: Final = 1.7
_BLOCKS: Final = 5
_SPREAD: Final = 18.0


def cover(pixels: Pixels, boxes: Iterable[Box]) -> Pixels:
    """A copy of the picture in which the whole head around each box is gone for good."""
    covered = np.array(pixels, dtype=np.uint8, copy=True)
    random = np.random.default_rng(secrets.randbits(128))
    for box in boxes:
        _cover_one(covered, head(box, width=covered.shape[1], height=covered.shape[0]), random)
    return covered


def head(box: Box, *, width: int, height: int) -> Box:
    """The whole head around a face, inside the picture."""
    across, up = box.width * (_WIDER - 1) / 2, box.height * (_HIGHER - 1) / 2
    larger = Box(box.x1 - across, box.y1 - up * 1.2, box.x2 + across, box.y2 + up * 0.8)  # more hair than neck
    return larger.clipped(width, height)


def _cover_one(pixels: Pixels, place: Box, random: np.random.Generator) -> None:
    left, top = int(np.floor(place.x1)), int(np.floor(place.y1))
    right, bottom = int(np.ceil(place.x2)), int(np.ceil(place.y2))
    part = pixels[top:bottom, left:right]
    if not part.size:
        return
    high, wide = part.shape[:2]
    oval = np.zeros((high, wide), np.uint8)
    axes = (max(1, round(wide / 2)), max(1, round(high / 2)))
    cv2.ellipse(oval, (wide // 2, high // 2), axes, 0, 0, 360, 255, thickness=-1)
    inside = oval > 0
    outside = part[~inside] if not inside.all() else part.reshape(-1, 3)
    colour = outside.mean(axis=0)
    coarse = np.clip(colour + random.normal(0.0, _SPREAD, (_BLOCKS, _BLOCKS, 1)), 0, 255).astype(np.float32)
    patch = cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC)
    part[inside] = np.clip(np.asarray(patch), 0, 255).astype(np.uint8)[inside]
