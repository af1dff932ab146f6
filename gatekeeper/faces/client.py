"""Asks the face service for the faces in a picture. Whatever goes wrong is "not scanned", never "no faces"."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np

from gatekeeper.faces.boxes import Box, Face
from gatekeeper.faces.match import Encoding, can_be_compared
from gatekeeper.sandbox.client import START_SECONDS, TIMEOUT, EngineClient
from gatekeeper.sandbox.service import cores
from gatekeeper.sandbox.wire import Pixels

MARGIN: Final = 0.6  # of the box on each side: the encoder looks a little beyond it, and finds the same numbers
_NUMBERS: Final = 128


class FaceClient:
    """A client of the service behind this socket; safe to use from several threads."""

    def __init__(self, socket_path: Path, *, timeout: float = TIMEOUT, start_timeout: float = START_SECONDS) -> None:
        self.socket_path = socket_path
        self._engine = EngineClient(socket_path, called="face detector", timeout=timeout, start_timeout=start_timeout)

    def detect(self, pixels: Pixels) -> list[Face]:
        """Every face in these upright RGB pixels.

        Raises:
            NotScanned: the service is away, slow, or made no sense. The photo blocks.
        """
        message = self._engine.ask("detect", pixels)
        height, width = pixels.shape[:2]
        try:
            return [_face(entry, width=width, height=height) for entry in message["faces"]]
        except (ValueError, KeyError, TypeError):
            raise self._engine.garbled() from None

    def encode(self, pixels: Pixels, boxes: Sequence[Box]) -> list[Encoding | None]:
        """128 numbers for each box, None for a face too small to tell; shared out over the service's children.

        Only a crop of each face is sent: its numbers are those that the whole picture gives.

        Raises:
            NotScanned: as for `detect`.
        """
        large = [index for index, box in enumerate(boxes) if can_be_compared(box)]
        encodings: list[Encoding | None] = [None] * len(boxes)
        if large:
            with ThreadPoolExecutor(min(cores(), len(large)), "encode") as pool:
                found = pool.map(lambda index: self._encoded(pixels, boxes[index]), large)
                for index, encoding in zip(large, found, strict=True):
                    encodings[index] = encoding
        return encodings

    def wait_until_ready(self, *, children: int = 1) -> None:
        """Return once this many children have loaded their models.

        Raises:
            NotScanned: they have not, within the time allowed for a start.
        """
        self._engine.wait_until_ready(children=children)

    def _encoded(self, pixels: Pixels, box: Box) -> Encoding | None:
        crop, moved = _crop(pixels, box)
        message = self._engine.ask("encode", crop, {"boxes": [moved.as_list()]})
        try:
            [numbers] = message["encodings"]
            return None if numbers is None else _encoding(numbers)
        except (ValueError, KeyError, TypeError):
            raise self._engine.garbled() from None


def _crop(pixels: Pixels, box: Box) -> tuple[Pixels, Box]:
    """The face and what is around it, and where it lies in there."""
    height, width = pixels.shape[:2]
    right, down = box.width * MARGIN, box.height * MARGIN
    part = Box(box.x1 - right, box.y1 - down, box.x2 + right, box.y2 + down).clipped(width, height)
    left, top = math.floor(part.x1), math.floor(part.y1)
    crop = pixels[top : math.ceil(part.y2), left : math.ceil(part.x2)]
    return crop, Box(*(float(round(side)) for side in box.as_list())).moved(-left, -top)


def _encoding(numbers: Any) -> Encoding:
    encoding = np.asarray(numbers, np.float64)
    if encoding.shape != (_NUMBERS,) or not np.isfinite(encoding).all():
        raise ValueError("no encoding looks like this")
    return encoding


def _face(entry: Any, *, width: int, height: int) -> Face:
    x1, y1, x2, y2, score, detector = entry
    numbers = [float(value) for value in (x1, y1, x2, y2, score)]
    box = Box(*numbers[:4])
    whole = box.clipped(width, height) == box and box.area > 0
    if not all(math.isfinite(value) for value in numbers) or not whole or not isinstance(detector, str):
        raise ValueError("no face looks like this")
    return Face(box, numbers[4], detector)
