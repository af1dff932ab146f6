"""What the drill and the processes that it kills tell each other: a few numbers in a file that all of them map.

It outlives every kill, asks nobody for a lock, and is no part of the machine that is tried.
"""

import mmap
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gatekeeper.workflow.crash_points import POINTS

SLOTS: Final = 4
PUBLICATIONS: Final = 1 << 17

#: orders for one publication: from 1 on kill at that point, from FREEZE on freeze there, or the three of a pause
PAUSE, PAUSED, GO_ON, FREEZE = 100, 101, 102, 128

_SLOT = struct.Struct("<iii")  # process, point, publication
_COUNT = struct.Struct("<i")
_COUNTED: Final = (*POINTS, "guard", "crashed", "started")
_COUNTS_AT = SLOTS * _SLOT.size
_NEXT_AT = _COUNTS_AT + len(_COUNTED) * _COUNT.size
_ORDERS_AT = 4096
_TOUCHED_AT = _ORDERS_AT + PUBLICATIONS
_SIZE = _TOUCHED_AT + PUBLICATIONS


class Board:
    """The shared numbers; made by the drill, opened by its processes."""

    def __init__(self, path: Path, *, make: bool = False) -> None:
        with path.open("x+b" if make else "r+b") as file:
            if make:
                file.truncate(_SIZE)
            self._map = mmap.mmap(file.fileno(), _SIZE)

    def write_place(self, slot: int, *, process: int, point: str = "C0", publication: int = 0) -> None:
        """Say where the process of this slot is."""
        _SLOT.pack_into(self._map, slot * _SLOT.size, process, POINTS.index(point), publication)

    def place(self, slot: int) -> tuple[int, str, int]:
        """The process of this slot (0: none), the point that it passed last, and with which publication."""
        process, point, publication = _SLOT.unpack_from(self._map, slot * _SLOT.size)
        return process, POINTS[point], publication

    def count(self, what: str) -> None:
        """One more of a point, or of "guard", "crashed", "started". One process counts."""
        at = _COUNTS_AT + _COUNTED.index(what) * _COUNT.size
        _COUNT.pack_into(self._map, at, _COUNT.unpack_from(self._map, at)[0] + 1)

    def counted(self) -> dict[str, int]:
        """Every count."""
        return {what: _COUNT.unpack_from(self._map, _COUNTS_AT + n * _COUNT.size)[0] for n, what in enumerate(_COUNTED)}

    def kill_next_at(self, point: str) -> None:
        """The next process to pass this point is to die there, whatever it has in hand."""
        self._map[_NEXT_AT + POINTS.index(point)] = 1

    def take_kill_at(self, point: str) -> bool:
        """Whether that was asked for; asked for once."""
        at = _NEXT_AT + POINTS.index(point)
        wanted, self._map[at] = self._map[at], 0
        return bool(wanted)

    def order(self, publication: int, what: int) -> None:
        """Leave an order for whoever has this publication in hand."""
        self._map[_ORDERS_AT + publication] = what

    def order_for(self, publication: int) -> int:
        """The order left for this publication; 0 where there is none."""
        return self._map[_ORDERS_AT + publication]

    def touch(self, publication: int) -> None:
        """Note that a process died, or was frozen, with this publication in hand."""
        self._map[_TOUCHED_AT + publication] = 1

    def was_touched(self, publication: int) -> bool:
        """Whether that happened."""
        return bool(self._map[_TOUCHED_AT + publication])


def kill_at(point: str) -> int:
    """The order to die at this point."""
    return 1 + POINTS.index(point)


def freeze_at(point: str) -> int:
    """The order to stand still at this point, as a computer does whose lid is closed."""
    return FREEZE + POINTS.index(point)


def obey(board: Board, publication: int, point: str, *, die: Callable[[], None], freeze: Callable[[], None]) -> bool:
    """Do what was ordered for this point; says whether the process has to pause."""
    order = board.order_for(publication) if publication else 0
    if order == kill_at(point):
        board.order(publication, 0)
        die()
    elif order == freeze_at(point):
        board.order(publication, 0)
        board.touch(publication)
        freeze()
    if board.take_kill_at(point):
        die()
    if point == "C1b" and order == PAUSE:
        board.order(publication, PAUSED)  # once: the drill answers it with GO_ON, which nothing may write over
    return point == "C1b" and order in (PAUSE, PAUSED)
