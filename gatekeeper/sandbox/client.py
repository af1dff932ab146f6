"""Asks an engine in its own process about a picture. Whatever goes wrong is "not scanned", never "nothing found"."""

import json
import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np

from gatekeeper.errors import NotScanned
from gatekeeper.sandbox.wire import MAX_ANSWER, MAX_PIXELS, MAX_SENTENCE, READY, Pixels, request

TIMEOUT: Final = 75.0
START_SECONDS: Final = 15.0
_RETRY_SECONDS: Final = 0.05
_CHUNK: Final = 1 << 16


class EngineClient:
    """A client of the service behind this socket; safe to use from several threads.

    Args:
        socket_path: where the service listens.
        called: what the engine is called in a sentence, without "The".
        timeout: seconds for one answer, waiting for a free child included.
        start_timeout: seconds to wait for a service that is only just starting.
    """

    def __init__(
        self, socket_path: Path, *, called: str, timeout: float = TIMEOUT, start_timeout: float = START_SECONDS
    ) -> None:
        self.socket_path = socket_path
        self._called = called
        self._timeout = timeout
        self._start_timeout = min(start_timeout, timeout)

    def ask(self, operation: str, pixels: Pixels, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What the engine answers about these upright RGB pixels: an object of JSON, not yet believed.

        Raises:
            NotScanned: the service is away, slow, or made no sense. The photo blocks.
        """
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:  # noqa: PLR2004
            raise NotScanned("Only RGB pixels can be scanned.")
        height, width = pixels.shape[:2]
        if height * width > MAX_PIXELS:
            raise NotScanned("This picture has more than 64 megapixels, so it has not been scanned.")
        deadline = time.monotonic() + self._timeout
        with self._connected(deadline) as connection:
            try:
                connection.sendall(request(operation, height=height, width=width, parameters=parameters))
                connection.settimeout(_left(deadline))
                connection.sendall(np.ascontiguousarray(pixels).data.cast("B"))
                return self._understood(self._read_line(connection, deadline))
            except TimeoutError:
                raise NotScanned(
                    f"The {self._called} did not answer in time, so this photo has not been scanned."
                ) from None
            except OSError:
                raise self._broke_off() from None

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
                    connection.sendall(request(READY, height=0, width=0))
                for connection in connections:
                    self._understood(self._read_line(connection, deadline))
            except OSError:
                raise self._absent() from None

    def garbled(self) -> NotScanned:
        """What to raise when an answer cannot be true."""
        return NotScanned(f"The {self._called} gave an answer that makes no sense, so this photo has not been scanned.")

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
                    raise self._absent() from None
                time.sleep(_RETRY_SECONDS)
            else:
                return connection

    def _read_line(self, connection: socket.socket, deadline: float) -> bytes:
        answer = bytearray()
        while not answer.endswith(b"\n"):
            connection.settimeout(_left(deadline))
            piece = connection.recv(_CHUNK)
            if not piece:
                raise self._broke_off()
            answer += piece
            if len(answer) > MAX_ANSWER:
                raise self.garbled()
        return bytes(answer)

    def _understood(self, answer: bytes) -> dict[str, Any]:
        try:
            message = json.loads(answer)
        except (ValueError, RecursionError):
            raise self.garbled() from None
        if not isinstance(message, dict):
            raise self.garbled()
        if "not_scanned" in message:
            sentence = message["not_scanned"]
            plain = isinstance(sentence, str) and 0 < len(sentence) <= MAX_SENTENCE and sentence.isprintable()
            raise NotScanned(sentence) if plain else self.garbled()
        return message

    def _broke_off(self) -> NotScanned:
        return NotScanned(f"The {self._called} stopped while it looked at this photo, so it has not been scanned.")

    def _absent(self) -> NotScanned:
        return NotScanned(f"The {self._called} is not running, so this photo has not been scanned.")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
