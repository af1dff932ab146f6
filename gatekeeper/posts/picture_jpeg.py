"""Walks the segments of a JPEG without decoding it: where it ends, how many scans it has, what else it carries.

Two rules need this. libjpeg fills a picture that was cut off (and closed with an end mark) with grey and says nothing,
so the scans are checked for completeness. And what a decoding child hands back for publication must be a bare picture
and nothing else, whatever happened inside that child.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_SCANS: Final = (
    200  # progressive pictures of cameras and tools have about ten; each one costs a pass over all pixels
)

_START: Final = b"\xff\xd8"
_APP0, _EOI, _SOS = 0xE0, 0xD9, 0xDA
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_PROGRESSIVE: Final = 0xC2
_BARE: Final = frozenset({_APP0, 0xDB, 0xC0, 0xC2, 0xC4, 0xDD, _SOS, _EOI})
_JFIF_WITHOUT_THUMBNAIL: Final = re.compile(rb"JFIF\0.{7}\0\0", re.DOTALL)
_LENGTH: Final = 2
_FRAME_HEADER: Final = 6
_NEXT_MARKER: Final = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")  # not fill bytes, stuffed zeros or restarts


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of the main picture. `stray` counts bytes before it that belong to no segment and no scan."""

    marker: int
    at: int
    end: int
    body: bytes
    stray: int


@dataclass(frozen=True, slots=True)
class JpegShape:
    """What the segments say. `data_end` is where the last scan stops; `complete` that all parts arrived to the end."""

    data_end: int
    scans: int
    width: int
    height: int
    complete: bool


def segments(data: bytes) -> Iterator[Segment]:
    """The segments up to the end mark of the main picture; ends early where the bytes do."""
    at, in_scan = len(_START), False
    while data.startswith(_START) and (found := _NEXT_MARKER.search(data, at)):
        marker, start = data[found.start() + 1], found.start()
        stray = 0 if in_scan else start - at
        in_scan = marker == _SOS
        if marker == _EOI:
            yield Segment(marker, start, start + 2, b"", stray)
            return
        length = int.from_bytes(data[start + 2 : start + 4], "big")
        at = start + 2 + length
        if length < _LENGTH or at > len(data):
            return
        yield Segment(marker, start, at, data[start + 4 : at], stray)


def shape_of(data: bytes) -> JpegShape:
    """The size, the number of scans and whether the picture is all there, as far as its segments tell."""
    scans = width = height = 0
    progress, last = _Progress(), None
    for last in segments(data):
        if last.marker in _FRAMES and len(last.body) >= _FRAME_HEADER:
            height, width = int.from_bytes(last.body[1:3], "big"), int.from_bytes(last.body[3:5], "big")
            progress.begin(last)
        elif last.marker == _SOS:
            scans += 1
            progress.scan(last.body)
    ended = last is not None and last.marker == _EOI
    return JpegShape(last.at if last else 0, scans, width, height, complete=ended and scans > 0 and progress.complete)


def is_bare(data: bytes) -> bool:
    """Whether these bytes are one JPEG picture and nothing besides: no comment, no metadata, nothing after its end."""
    parts = list(segments(data))
    return (
        bool(parts)
        and parts[-1].marker == _EOI
        and parts[-1].end == len(data)
        and all(part.marker in _BARE and part.stray == 0 for part in parts)
        and all(_JFIF_WITHOUT_THUMBNAIL.fullmatch(part.body) for part in parts if part.marker == _APP0)
        and sum(part.marker == _APP0 for part in parts) <= 1
        and shape_of(data).complete
    )


class _Progress:
    """Keeps account of which parts of each colour a progressive picture has delivered."""

    def __init__(self) -> None:
        self._progressive = False
        self._missing_bits: dict[int, int | None] = {}
        self._detail = False

    def begin(self, frame: Segment) -> None:
        self._progressive = frame.marker == _PROGRESSIVE
        colours = frame.body[_FRAME_HEADER::3][: frame.body[5]]
        self._missing_bits = dict.fromkeys(colours)

    def scan(self, body: bytes) -> None:
        count = body[0] if body else 0
        parameters = body[1 + 2 * count :]
        if not self._progressive or len(parameters) != 3:  # noqa: PLR2004  # first and last coefficient, bits
            return
        if parameters[0] == 0:
            self._missing_bits |= dict.fromkeys(body[1 : 1 + 2 * count : 2], parameters[2] & 0x0F)
        else:
            self._detail = True

    @property
    def complete(self) -> bool:
        """Whether every colour has arrived to its last bit and some detail came after the first coarse pass."""
        if not self._progressive:
            return True
        return self._detail and all(bits == 0 for bits in self._missing_bits.values())
