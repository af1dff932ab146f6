"""Asks the detection service for the faces in a picture. Whatever goes wrong is "not scanned", never "no faces"."""

import json
import math
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gatekeeper.errors import NotScanned
from gatekeeper.faces.boxes import Box, Face
from gatekeeper.faces.wire import HEADER, MAGIC, MAX_ANSWER, MAX_PIXELS

_START_SECONDS: Final = 15.0
_RETRY_SECONDS: Final = 0.05
_CHUNK: Final = 1 << 16
_SILENT: Final = "The face detector did not answer in time, so this photo has not been scanned."
_BROKE_OFF: Final = "The face detector stopped while it looked at this photo, so the photo has not been scanned."
_GARBLED: Final = "The face detector gave an answer that makes no sense, so this photo has not been scanned."
_ABSENT: Final = "The face detector is not running, so this photo has not been scanned."


class FaceClient:
    """A client of the service behind this socket; safe to use from several threads."""

    def __init__(self, socket_path: Path, *, timeout: float = 75.0, start_timeout: float = _START_SECONDS) -> None:
        self.socket_path = socket_path
        self._timeout = timeout
        self._start_timeout = min(start_timeout, timeout)

    def detect(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Every face in these upright RGB pixels.

        Raises:
            NotScanned: the service is away, slow, or made no sense. The photo blocks.
        """
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:  # noqa: PLR2004
            raise NotScanned("Only RGB pixels can be scanned for faces.")
        height, width = pixels.shape[:2]
        if height * width > MAX_PIXELS:
            raise NotScanned("This picture has more than 64 megapixels, so it has not been scanned.")
        deadline = time.monotonic() + self._timeout
        with self._connected(deadline) as connection:
            try:
                connection.sendall(HEADER.pack(MAGIC, height, width))
                connection.settimeout(_left(deadline))
                connection.sendall(np.ascontiguousarray(pixels).data.cast("B"))
                answer = _read_line(connection, deadline)
            except TimeoutError:
                raise NotScanned(_SILENT) from None
            except OSError:
                raise NotScanned(_BROKE_OFF) from None
        return _faces(answer, width=width, height=height)

    def wait_until_ready(self, *, children: int = 1) -> None:
        """Return once this many children have loaded their models.

        Raises:
            NotScanned: they have not, within the time allowed for a start.
        """
        deadline = time.monotonic() + self._start_timeout
        with ExitStack() as held:
            connections = [held.enter_context(self._connected(deadline)) for _ in range(children)]
            try:
                for connection in connections:
                    connection.sendall(HEADER.pack(MAGIC, 0, 0))
                for connection in connections:
                    _faces(_read_line(connection, deadline), width=0, height=0)
            except OSError:
                raise NotScanned(_ABSENT) from None

    def _connected(self, deadline: float) -> socket.socket:
        """A connection, waiting a bounded time for a service that is only just starting."""
        give_up = min(deadline, time.monotonic() + self._start_timeout)
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(_left(deadline))
                connection.connect(str(self.socket_path))
            except OSError:
                connection.close()
                if time.monotonic() + _RETRY_SECONDS >= give_up:
                    raise NotScanned(_ABSENT) from None
                time.sleep(_RETRY_SECONDS)
            else:
                return connection


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _read_line(connection: socket.socket, deadline: float) -> bytes:
    answer = bytearray()
    while not answer.endswith(b"\n"):
        connection.settimeout(_left(deadline))
        piece = connection.recv(_CHUNK)
        if not piece:
            raise NotScanned(_BROKE_OFF)
        answer += piece
        if len(answer) > MAX_ANSWER:
            raise NotScanned(_GARBLED)
    return bytes(answer)


def _faces(answer: bytes, *, width: int, height: int) -> list[Face]:
    try:
        message = json.loads(answer)
        if "not_scanned" in message:
            raise NotScanned(str(message["not_scanned"]))
        return [_face(entry, width=width, height=height) for entry in message["faces"]]
    except (ValueError, KeyError, TypeError):
        raise NotScanned(_GARBLED) from None


def _face(entry: Any, *, width: int, height: int) -> Face:
    x1, y1, x2, y2, score, detector = entry
    numbers = [float(value) for value in (x1, y1, x2, y2, score)]
    box = Box(*numbers[:4])
    whole = box.clipped(width, height) == box and box.area > 0
    if not all(math.isfinite(value) for value in numbers) or not whole or not isinstance(detector, str):
        raise ValueError("no face looks like this")
    return Face(box, numbers[4], detector)
