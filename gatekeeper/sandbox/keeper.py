"""Keeps an engine in processes of its own, which only ever receive bare RGB pixels and answer with plain values.

The keeper owns a unix socket and a few children that load the models once. A child that is stuck is killed by the
kernel's own timer, one that grew too large ends itself, and the keeper starts another. Whoever waited for such a child
hears that the photo was not scanned.
"""

import ctypes
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final, Never

from gatekeeper.sandbox.answering import Answering, Engine
from gatekeeper.sandbox.service import threads_for

PHOTO_SECONDS: Final = 60
_ADDRESS_SPACE: Final = 6 << 30
_BACKLOG: Final = 128
_PR_SET_PDEATHSIG: Final = 1

Load = Callable[[int], Engine]


def keep(load: Load, *, restart_above: int) -> Never:
    """Serve until the parent ends or asks to stop. The command line says: socket, children, parent.

    Args:
        load: makes the engine, told how many threads it may use; called in each child.
        restart_above: bytes of memory from which a child makes room for a fresh one.
    """
    socket_path, children, parent = sys.argv[1:4]
    _die_with(int(parent), signal.SIGTERM)
    _Keeper(Path(socket_path), int(children), load, restart_above).run()


def _die_with(parent: int, how: signal.Signals) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, how, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


class _Keeper:
    """Holds the socket open and the right number of children alive."""

    def __init__(self, socket_path: Path, children: int, load: Load, restart_above: int) -> None:
        self._path = socket_path
        self._wanted = children
        self._load = load
        self._restart_above = restart_above
        self._started: dict[int, float] = {}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def run(self) -> Never:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.parent.chmod(0o700)
        self._path.unlink(missing_ok=True)
        self._listener.bind(str(self._path))
        self._path.chmod(0o600)
        self._listener.listen(_BACKLOG)
        while True:
            while len(self._started) < self._wanted:
                self._start_child()
            child, _ = os.wait()
            if time.monotonic() - self._started.pop(child, 0.0) < 1:
                time.sleep(0.5)  # a child that cannot even start must not keep a core busy

    def _start_child(self) -> None:
        parent = os.getpid()
        child = os.fork()
        if child:
            self._started[child] = time.monotonic()
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        _die_with(parent, signal.SIGKILL)
        threads = threads_for(self._wanted)
        _serve(self._listener, lambda: self._load(threads), restart_above=self._restart_above)

    def _stop(self, _number: int, _frame: FrameType | None) -> Never:
        for child in self._started:
            os.kill(child, signal.SIGKILL)
        self._path.unlink(missing_ok=True)
        os._exit(0)


def _serve(listener: socket.socket, load: Callable[[], Engine], *, restart_above: int) -> Never:
    """One child: load the models, then answer one connection after the other until memory says to begin afresh."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    answering = Answering(load)
    while True:
        connection, _ = listener.accept()
        signal.alarm(PHOTO_SECONDS)  # the kernel's timer at its default action: no library can catch it and go on
        with connection:
            answering.answer(connection)
        signal.alarm(0)
        if not answering.usable or _resident() > restart_above:
            os._exit(0)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
