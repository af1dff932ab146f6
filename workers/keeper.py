"""Keeps the engines of the scan process running beside it: long-lived children that only ever see bare pixels."""

import logging
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from gatekeeper.faces.client import FaceClient
from gatekeeper.faces.service import MODULE as FACES
from gatekeeper.lettering.client import ReaderClient
from gatekeeper.lettering.service import MODULE as LETTERS
from gatekeeper.ops.sockets import socket_path
from gatekeeper.sandbox.service import cores, keeper_command, keeper_environment

log = logging.getLogger("workers.keeper")

_PAUSE: Final = 2.0
_FAREWELL: Final = 1.0


def children_of_each() -> int:
    """Two photos of a post are looked at at once; a third child would cost memory and bring nothing."""
    return min(2, cores())


class ScanEngines:
    """The services that one scan process works with. They end with that process, however that ends."""

    def __init__(self, data: Path) -> None:
        self.faces = FaceClient(socket_path(data, "faces"))
        self.reader = ReaderClient(socket_path(data, "letters"))
        self._keepers = (
            EngineKeeper("face detection", FACES, self.faces.socket_path),
            EngineKeeper("reading of letters", LETTERS, self.reader.socket_path),
        )

    def guard(self) -> None:
        """Start them, or start again what is gone."""
        for keeper in self._keepers:
            keeper.guard()

    def stop(self) -> None:
        """End them and wait until they are gone."""
        for keeper in self._keepers:
            keeper.ask_to_stop()
        for keeper in self._keepers:
            keeper.stop()


class EngineKeeper:
    """One service of the scan process, kept alive."""

    def __init__(self, called: str, module: str, socket: Path) -> None:
        self._called = called
        self._module = module
        self._socket = socket
        self._process: subprocess.Popen[bytes] | None = None
        self._again_at = 0.0

    def guard(self) -> None:
        """Start it, or start it again when it is gone. A scan that finds it away blocks its photo and is repeated."""
        if self._process is not None and self._process.poll() is not None:
            log.warning("the %s ended with code %d; starting it again", self._called, self._process.returncode)
            self._process, self._again_at = None, time.monotonic() + _PAUSE
        if self._process is None and time.monotonic() >= self._again_at:
            children = children_of_each()
            self._process = subprocess.Popen(
                keeper_command(self._module, self._socket, children=children),
                env=dict(keeper_environment(children=children)),
                cwd="/",
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def ask_to_stop(self) -> None:
        """Say so, without waiting."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """End it and wait until it is gone."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_FAREWELL)
            return
        self._process.kill()
        self._process.wait()
