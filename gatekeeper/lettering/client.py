"""Asks the reading service what a picture says. Whatever goes wrong is "not scanned", never "nothing legible"."""

import math
from pathlib import Path
from typing import Any, Final

from gatekeeper.lettering.reading import Code, Line, Reading, Region
from gatekeeper.sandbox.client import START_SECONDS, TIMEOUT, EngineClient
from gatekeeper.sandbox.wire import Pixels

_MOST: Final = 1000
_LONGEST: Final = 7100  # the largest QR code holds 7089 digits
_LONGEST_KIND: Final = 40


class ReaderClient:
    """A client of the service behind this socket; safe to use from several threads."""

    def __init__(self, socket_path: Path, *, timeout: float = TIMEOUT, start_timeout: float = START_SECONDS) -> None:
        self.socket_path = socket_path
        self._engine = EngineClient(
            socket_path, called="reader of letters", timeout=timeout, start_timeout=start_timeout
        )

    def read(self, pixels: Pixels) -> Reading:
        """Every line of letters and every code in these upright RGB pixels, from top to bottom.

        Raises:
            NotScanned: the service is away, slow, or made no sense. The photo blocks.
        """
        message = self._engine.ask("read", pixels)
        height, width = pixels.shape[:2]
        try:
            lines, codes = list(message["lines"]), list(message["codes"])
            if max(len(lines), len(codes)) > _MOST:
                raise self._engine.garbled()
            return Reading(
                tuple(_line(entry, width=width, height=height) for entry in lines),
                tuple(_code(entry, width=width, height=height) for entry in codes),
            )
        except (ValueError, KeyError, TypeError):
            raise self._engine.garbled() from None

    def wait_until_ready(self, *, children: int = 1) -> None:
        """Return once this many children have loaded their models.

        Raises:
            NotScanned: they have not, within the time allowed for a start.
        """
        self._engine.wait_until_ready(children=children)


def _line(entry: Any, *, width: int, height: int) -> Line:
    x1, y1, x2, y2, text, score = entry
    if not (isinstance(score, float) and 0 <= score <= 1):
        raise ValueError("no line is as sure as this")
    return Line(_region((x1, y1, x2, y2), width=width, height=height), _text(text), score)


def _code(entry: Any, *, width: int, height: int) -> Code:
    x1, y1, x2, y2, text, kind = entry
    if not isinstance(kind, str) or not kind.isprintable() or len(kind) > _LONGEST_KIND:
        raise ValueError("no code is of such a kind")
    return Code(_region((x1, y1, x2, y2), width=width, height=height), _text(text), kind)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > _LONGEST:
        raise ValueError("no picture says this")
    return value


def _region(corners: tuple[Any, ...], *, width: int, height: int) -> Region:
    x1, y1, x2, y2 = map(float, corners)
    if not all(map(math.isfinite, (x1, y1, x2, y2))) or not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
        raise ValueError("no place in this picture")
    return x1, y1, x2, y2
