"""Answers one request inside a child: pixels in, plain values out, and the truth when it could not look."""

import json
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import numpy as np

from gatekeeper.errors import NotScanned
from gatekeeper.sandbox.wire import HEADER, MAX_SENTENCE, READ_SECONDS, READY, Pixels, understood

_FAILED: Final = "This photo made the scan fail, so it has not been scanned."


class Engine(Protocol):
    """What a child holds ready in memory."""

    def answer(self, operation: str, pixels: Pixels, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What it makes of these pixels, as JSON knows it.

        Raises:
            NotScanned: it could not look at all of them.
        """


class Answering:
    """Holds the loaded engine. One that failed to load says so and is of no further use."""

    def __init__(self, load: Callable[[], Engine]) -> None:
        self._engine: Engine | None = None
        try:
            self._engine = load()
        except Exception:  # noqa: BLE001  # whatever a library raises here, the photo was not looked at
            self._engine = None

    @property
    def usable(self) -> bool:
        """Whether there is any sense in asking again."""
        return self._engine is not None

    def answer(self, connection: socket.socket) -> None:
        """Read one request, send one line of JSON. A caller that went away is nobody's loss."""
        connection.settimeout(READ_SECONDS)
        try:
            header = bytearray(HEADER.size)
            _read_into(connection, memoryview(header))
            operation, size, height, width = understood(bytes(header))
            details = bytearray(size)
            _read_into(connection, memoryview(details))
            pixels = np.empty((height, width, 3), np.uint8)
            if operation != READY:
                _read_into(connection, pixels.data.cast("B"))  # whoever is cut off while sending reads no answer
            if self._engine is None:
                _send(connection, {"not_scanned": "The models of the scan could not be loaded."})
            elif operation == READY:
                _send(connection, {"ready": True})
                connection.recv(1)  # the caller holds all children this way until every one of them has answered
            else:
                parameters = json.loads(details) if details else {}
                _send(connection, _looked(self._engine, operation, pixels, parameters))
        except (OSError, ValueError):
            return


def _looked(engine: Engine, operation: str, pixels: Pixels, parameters: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return engine.answer(operation, pixels, parameters)
    except NotScanned as problem:
        return {"not_scanned": str(problem)[:MAX_SENTENCE]}
    except Exception:  # noqa: BLE001  # whatever a library raises here, the photo was not looked at
        return {"not_scanned": _FAILED}


def _read_into(connection: socket.socket, view: memoryview) -> None:
    while len(view):
        count = connection.recv_into(view)
        if count == 0:
            raise ValueError("the request ends early")
        view = view[count:]


def _send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")
