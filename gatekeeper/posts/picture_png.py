"""Says whether a PNG holds every row its header announces.

Pillow accepts a stream that ends early but tidily and leaves the rest of the picture black. A half picture is never
published, so the rows are counted here, in the decoding child, without being kept.
"""

import zlib
from collections.abc import Iterator
from typing import Final

_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_STEP: Final = 1 << 20


def holds_every_row(data: bytes) -> bool:
    """Whether the compressed stream is as long as width, height and depth in the header ask for."""
    header = data[16:29]
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    depth, colour, interlaced = header[8], header[9], header[12]
    wanted = sum(
        rows * (1 + (columns * depth * _CHANNELS[colour] + 7) // 8)
        for columns, rows in _passes(width, height, interlaced=bool(interlaced))
    )
    inflater, seen = zlib.decompressobj(), 0
    for piece in _stream(data):
        waiting = piece
        while waiting and seen < wanted:
            seen += len(inflater.decompress(waiting, _STEP))
            waiting = inflater.unconsumed_tail
    return seen >= wanted


def _passes(width: int, height: int, *, interlaced: bool) -> Iterator[tuple[int, int]]:
    if not interlaced:
        yield width, height
        return
    for left, top, across, down in _PASSES:
        columns, rows = (width - left + across - 1) // across, (height - top + down - 1) // down
        if columns > 0 and rows > 0:
            yield columns, rows


def _stream(data: bytes) -> Iterator[bytes]:
    at = 8
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            yield data[at + 8 : at + 8 + length]
        at += 12 + length
