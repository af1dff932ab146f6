"""Keeps the face detection of the scan process running beside it: long-lived children that only ever see bare pixels."""

import logging
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from gatekeeper.faces.client import FaceClient
from gatekeeper.faces.service import keeper_command, keeper_environment

log = logging.getLogger("workers.keeper")

_CHILDREN = 1  # one photo is looked at at a time, with all cores
_PAUSE = 2.0


class FaceKeeper:
    """The detection service of one scan process. It ends with that process, however that ends."""

    def __init__(self, socket: Path) -> None:
        self.client = FaceClient(socket)
        self._process: subprocess.Popen[bytes] | None = None
        self._again_at = 0.0

    def guard(self) -> None:
        """Start it, or start it again when it is gone. A scan that finds it away blocks its photo and is repeated."""
        if self._process is not None and self._process.poll() is not None:
            log.warning("the face detection ended with code %d; starting it again", self._process.returncode)
            self._process, self._again_at = None, time.monotonic() + _PAUSE
        if self._process is None and time.monotonic() >= self._again_at:
            self._process = subprocess.Popen(
                keeper_command(self.client.socket_path, children=_CHILDREN),
                env=dict(keeper_environment(children=_CHILDREN)),
                cwd="/",
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End it and wait until it is gone."""
        if self._process is None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
            return
        self._process.kill()
        self._process.wait()
