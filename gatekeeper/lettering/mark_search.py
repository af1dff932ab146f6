"""Where in a picture a mark may be: places whose edges run as the mark's edges run.

Colours, brightness and what the mark is printed on change from jumper to banner; the direction of the edges stays.
So picture and mark are laid out in cells that say how much edge runs in each of four directions, and the mark is
compared with every place at every size. That finds more places than hold the mark: `mark_check` looks at each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

LONG_SIDE: Final = 1440  # of the copy that is searched; a mark of 40 pixels in a picture of 2048 still has 28
TURNS: Final = (-14.0, 0.0, 14.0)  # degrees; between them the cells are wide enough
_GRIDS: Final = {"square": (8, 8), "wide": (6, 11), "tall": (11, 6)}  # rows and columns of cells
_LONG: Final = 1.45  # longer than this is wide or tall
_RIM: Final = 0.4  # of a cell, left free around the mark
_CELLS: Final = (3.5, 4.2, 5.0, 5.9)  # pixels; the next size is the first again in a picture half as large
_LEARNT_CELL: Final = 6
_FAINT: Final = 16.0  # squared slope under which there is only noise
_LEAST: Final = 0.35  # likeness of a place worth a look
_AT_ONCE: Final = 40_000  # places compared in one go, which bounds the memory to about 60 MB
_SMALLEST: Final = 24


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A mark's edges in cells: one row for each turn."""

    grid: str
    rows: Floats
    long_cells: float  # the mark's longer side, in cells

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return _GRIDS[self.grid]


@dataclass(frozen=True, slots=True)
class Place:
    """One place where a mark may be, in pixels of the picture."""

    likeness: float
    x: float  # of its middle
    y: float
    long_side: float
    turn: float


def lay_out(picture: Pixels) -> Layout:
    """The edges of a mark that fills this picture."""
    height, width = picture.shape[:2]
    grid = "wide" if width > _LONG * height else "tall" if height > _LONG * width else "square"
    rows, columns = _GRIDS[grid]
    per_pixel = min((columns - _RIM) / width, (rows - _RIM) / height)  # cells
    scale = per_pixel * _LEARNT_CELL
    grey = cv2.cvtColor(cv2.GaussianBlur(picture, (0, 0), max(0.3, 0.35 / scale)), cv2.COLOR_RGB2GRAY)
    size = (columns * _LEARNT_CELL, rows * _LEARNT_CELL)
    turned = []
    for turn in TURNS:
        matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), turn, scale)
        matrix[:, 2] += (size[0] / 2 - width / 2, size[1] / 2 - height / 2)
        small = cv2.warpAffine(grey, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        cells = _resized(edges(np.asarray(small, np.float32)), columns, rows)
        even = cells - cells.mean(axis=(0, 1))
        turned.append((even / (np.linalg.norm(even) + 1.0)).transpose(2, 0, 1).ravel())
    return Layout(grid, np.asarray(turned, dtype=np.float32), per_pixel * max(height, width))


def edges(grey: Pixels | Floats) -> Floats:
    """How much edge runs in each of four directions, for each pixel. A strong edge counts little more than a weak one."""
    level = np.asarray(grey, np.float32)
    across, down = (cv2.Sobel(level, cv2.CV_32F, *which, ksize=1) for which in ((1, 0), (0, 1)))
    squared = across * across + down * down + 1e-3
    weight = np.where(squared > _FAINT, np.sqrt(np.sqrt(squared)), 0)
    double = (across * across - down * down) / squared * weight  # of the double angle: an edge has no front and back
    slant = 2 * across * down / squared * weight
    return np.asarray(np.maximum(np.stack((double, slant, -double, -slant), axis=-1), 0), np.float32)


def find_places(picture: Pixels, layouts: Sequence[Layout], *, most: int) -> list[list[Place]]:
    """For each mark the likeliest places, best first, at most so many."""
    height, width = picture.shape[:2]
    found: list[list[Place]] = [[] for _ in layouts]
    for cells in _cell_maps(picture):
        per_cell = (width / cells.shape[1], height / cells.shape[0])
        for grid in _GRIDS:
            which = [number for number, layout in enumerate(layouts) if layout.grid == grid]
            if which and cells.shape[0] >= _GRIDS[grid][0] and cells.shape[1] >= _GRIDS[grid][1]:
                alike = _compare(cells, np.stack([layouts[number].rows for number in which]), grid)
                for number, scores in zip(which, alike, strict=True):
                    found[number] += _peaks(scores, layouts[number], per_cell=per_cell, most=most)
    return [sorted(places, key=lambda place: -place.likeness)[:most] for places in found]


def _cell_maps(picture: Pixels) -> Iterator[Floats]:
    """The picture's edges in cells, from the smallest marks to those that fill it."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    share = LONG_SIDE / max(grey.shape)
    if share < 1:
        grey = _resized(grey, grey.shape[1] * share, grey.shape[0] * share)
    while min(grey.shape) >= _SMALLEST:
        running = edges(grey)
        for cell in _CELLS:
            yield _resized(running, grey.shape[1] / cell, grey.shape[0] / cell)
        grey = _resized(grey, grey.shape[1] / 2, grey.shape[0] / 2)


def _resized(picture: Floats, width: float, height: float) -> Floats:
    size = (max(1, round(width)), max(1, round(height)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def _compare(cells: Floats, rows: Floats, grid: str) -> Floats:
    """The likeness of every place with every mark and turn: marks x turns x places down x places across."""
    down, across = _GRIDS[grid]
    windows = np.lib.stride_tricks.sliding_window_view(cells, (down, across), axis=(0, 1))  # ..., directions, cells
    marks, turns, length = rows.shape
    wanted = np.ascontiguousarray(rows.reshape(-1, length).T)
    parts = []
    step = max(1, _AT_ONCE // windows.shape[1])
    for top in range(0, windows.shape[0], step):
        part = windows[top : top + step]
        here = np.ascontiguousarray(part).reshape(part.shape[0] * part.shape[1], part.shape[2], -1)
        # the marks' rows are even in each direction, so what is common to a place cancels out in the product
        spread = np.einsum("nij,nij->n", here, here) - (here.mean(2) ** 2).sum(1) * here.shape[2]
        alike = here.reshape(len(here), -1) @ wanted / (np.sqrt(np.maximum(spread, 0)) + 1.0)[:, None]
        parts.append(alike.reshape(part.shape[0], part.shape[1], marks, turns))
    return np.concatenate(parts).transpose(2, 3, 0, 1)


def _peaks(scores: Floats, layout: Layout, *, per_cell: tuple[float, float], most: int) -> list[Place]:
    """The places that are likelier than all around them."""
    best = np.ascontiguousarray(scores.max(0))
    ys, xs = np.nonzero((best == cv2.dilate(best, np.ones((3, 3), np.uint8))) & (best > _LEAST))
    order = np.argsort(-best[ys, xs])[:most]
    down, across = layout.size
    return [
        Place(
            likeness=float(best[y, x]),
            x=(x + across / 2) * per_cell[0],
            y=(y + down / 2) * per_cell[1],
            long_side=layout.long_cells * per_cell[0],
            turn=TURNS[int(scores[:, y, x].argmax())],
        )
        for y, x in zip(ys[order].tolist(), xs[order].tolist(), strict=True)
    ]
