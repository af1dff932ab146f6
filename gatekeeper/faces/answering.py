"""Answers one request inside a detection child: pixels in, boxes out, and the truth when it could not look."""

import json
import socket

import cv2
import numpy as np

from gatekeeper.errors import NotScanned
from gatekeeper.faces.detect import FaceFinder, Pixels
from gatekeeper.faces.wire import HEADER, MAGIC, MAX_PIXELS, READ_SECONDS


class Answering:
    """Holds the loaded models. Once they failed to load it says so and is of no further use."""

    def __init__(self, *, threads: int) -> None:
        cv2.setNumThreads(threads)
        self._finder: FaceFinder | None = None
        try:
            self._finder = FaceFinder.load()
            self._finder.detect(
                np.full((96, 96, 3), 127, np.uint8)
            )  # the first run of a model is slow: before the clock
        except Exception:  # noqa: BLE001  # whatever a library raises here, the photo was not looked at
            self._finder = None

    @property
    def usable(self) -> bool:
        """Whether there is any sense in asking again."""
        return self._finder is not None

    def answer(self, connection: socket.socket) -> None:
        """Read one request, send one line of JSON. A caller that went away is nobody's loss."""
        connection.settimeout(READ_SECONDS)
        try:
            height, width = _read_header(connection)
            if self._finder is None:
                _send(connection, {"not_scanned": "The face detectors could not be loaded."})
            elif height == 0:
                _send(connection, {"faces": []})
                connection.recv(1)  # the caller holds all children this way until every one of them has answered
            else:
                _send(connection, self._look(_read_pixels(connection, height, width)))
        except (OSError, ValueError):
            return

    def _look(self, pixels: Pixels) -> dict[str, object]:
        assert self._finder is not None
        try:
            faces = self._finder.detect(pixels)
        except NotScanned as problem:
            return {"not_scanned": str(problem)}
        return {"faces": [[*face.box.as_list(), face.score, face.detector] for face in faces]}


def _read_header(connection: socket.socket) -> tuple[int, int]:
    buffer = bytearray(HEADER.size)
    _read_into(connection, memoryview(buffer))
    magic, height, width = HEADER.unpack(buffer)
    if magic != MAGIC or height * width > MAX_PIXELS or (height == 0) != (width == 0):
        raise ValueError("this is not a request")
    return height, width


def _read_pixels(connection: socket.socket, height: int, width: int) -> Pixels:
    pixels = np.empty((height, width, 3), np.uint8)
    _read_into(connection, pixels.data.cast("B"))
    return pixels


def _read_into(connection: socket.socket, view: memoryview) -> None:
    while len(view):
        count = connection.recv_into(view)
        if count == 0:
            raise ValueError("the request ends early")
        view = view[count:]


def _send(connection: socket.socket, message: dict[str, object]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")
