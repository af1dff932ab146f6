"""The processes of a drill: the simulated platforms, the queue, and the publishers that are killed."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import redis

from gatekeeper.bootstrap import connect
from gatekeeper.errors import GatekeeperError
from gatekeeper.ops import valkey
from gatekeeper.ops.drill.board import SLOTS, Board
from gatekeeper.ops.keys import bare_environment, environment_for
from gatekeeper.ops.kinship import bound_to_me
from gatekeeper.ops.sockets import socket_path

_LOOPBACK: Final = "127.0.0.1"
_UP_WITHIN: Final = 60.0
_PLATFORMS: Final = {
    "x": ("api.twitter.com", "/2/tweets"),
    "facebook": ("graph.facebook.com", "*/feed"),
    "linkedin": ("api.linkedin.com", "/rest/posts"),
}


class DrillFailed(GatekeeperError):
    """The drill itself could not go on; it says nothing about the machine."""


class Processes:
    """Started for one drill, and gone with it: the kernel ends them when the drill is killed."""

    def __init__(self, data: Path, environ: Mapping[str, str], *, board: Board, board_path: Path) -> None:
        self._data, self._env = data, environ
        self._board, self._board_path = board, board_path
        self._logs = data / "logs"
        self._logs.mkdir(exist_ok=True)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._port = _free_port()
        self._queue_socket = socket_path(data, "valkey")

    @property
    def platform(self) -> str:
        """Where the simulated platforms answer."""
        return f"http://{_LOOPBACK}:{self._port}"

    @property
    def queue(self) -> str:
        """Where the queue answers, when it lives."""
        return f"unix://{self._queue_socket}"

    def start_platforms(self) -> None:
        """Start the simulator and wait until it answers."""
        command = (
            "gatekeeper.simulator",
            "--drill",
            "--credentials",
            "--port",
            str(self._port),
            "--folder",
            str(self._data / "simulator"),
        )
        self._start("simulator", (sys.executable, "-m", *command), bare_environment(self._env))
        deadline = time.monotonic() + _UP_WITHIN
        while not self._answers():
            if time.monotonic() > deadline or self._running["simulator"].poll() is not None:
                raise DrillFailed(f"The simulator did not start; {self._logs / 'simulator.log'} says why.")
            time.sleep(0.05)

    @property
    def keys(self) -> str:
        """The keys of the simulated accounts as JSON, one a line."""
        said = (self._logs / "simulator.log").read_text().splitlines()
        return "\n".join(line for line in said if line.startswith("{"))

    def start_queue(self) -> bool:
        """Start the queue, where there is one on this computer."""
        program = valkey.find_server()
        if program is None:
            return False
        command = valkey.server_command(program, socket=self._queue_socket, folder=self._data / "valkey")
        self._start("valkey", command, bare_environment(self._env))
        return True

    def start_publishers(self, *, number: int, without: str | None, factor: float, warm: int) -> None:
        """Start the warm process, which starts the publishers and brings them back; it sends `warm` posts before."""
        cut = ("--without", without) if without else ()
        command = (
            "workers.drill",
            "--board",
            str(self._board_path),
            "--publishers",
            str(number),
            "--faster",
            str(factor),
            "--warm",
            str(warm),
            *cut,
        )
        self._start("publishers", (sys.executable, "-m", *command), environment_for("publisher", self._env))
        deadline = time.monotonic() + _UP_WITHIN
        while not all(self._board.place(slot)[0] for slot in range(number)):
            if time.monotonic() > deadline or self._running["publishers"].poll() is not None:
                raise DrillFailed(f"The publishers did not start; {self._logs / 'publishers.log'} says why.")
            time.sleep(0.02)

    def kill_a_publisher(self, chance: random.Random) -> None:
        """Kill one of them wherever it is at this moment."""
        process, _, _ = self._board.place(chance.randrange(SLOTS))
        if process:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def thaw(self) -> None:
        """Wake whoever stands still."""
        for slot in range(SLOTS):
            if process := self._board.place(slot)[0]:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)

    def upset_queue(self, chance: random.Random) -> bool:
        """Kill the queue and bring it back, or empty it while it runs; says whether there was one."""
        if "valkey" not in self._running:
            return False
        if chance.random() < 0.5:  # noqa: PLR2004 - the one or the other
            self._running["valkey"].kill()
            self._running["valkey"].wait()
            return self.start_queue()
        with suppress(redis.RedisError), connect(self.queue) as client:
            client.flushall()
        return True

    def spoil(self, kind: str, text: str, fault: Mapping[str, Any]) -> None:
        """Order a fault for the one call that would publish these words."""
        host, path = _PLATFORMS[kind]
        order = {**fault, "host": host, "method": "POST", "path": path, "text": text, "times": 1}
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self.platform}/_sim/faults",
            data=json.dumps(order).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
            reply.read()

    def stop_publishers(self) -> None:
        """End the publishers alone."""
        _end([self._running.pop("publishers")])
        for slot in range(SLOTS):
            self._board.write_place(slot, process=0)

    def stop(self) -> None:
        """End them all."""
        _end(list(self._running.values()))

    def _start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        with (self._logs / f"{name}.log").open("ab") as sink:
            self._running[name] = subprocess.Popen(
                list(command),
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                preexec_fn=bound_to_me(),  # noqa: PLW1509 - one prctl call, and this process has one thread
            )

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.platform}/_sim/health", timeout=2):  # noqa: S310 - our own address
                return True
        except (urllib.error.URLError, OSError):
            return False


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        found: int = probe.getsockname()[1]
        return found
