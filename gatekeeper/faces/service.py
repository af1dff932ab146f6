"""Keeps face detection in processes of its own, which only ever receive bare RGB pixels and answer with boxes.

`python -m gatekeeper.faces.service SOCKET CHILDREN PARENT_PID` is the keeper: it owns a unix socket and a few children
that load the models once. A child that is stuck is killed by the kernel's own timer, one that grew too large ends
itself, and the keeper starts another. Whoever waited for such a child hears that the photo was not scanned.
"""

import ctypes
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired
from types import FrameType
from typing import Final, Never

from gatekeeper.errors import NotScanned
from gatekeeper.faces.client import FaceClient

PHOTO_SECONDS: Final = 60
RESTART_ABOVE: Final = 700_000_000  # YuNet loses some 8 MB a photo; a fresh child costs a third of a second
_ADDRESS_SPACE: Final = 6 << 30
_BACKLOG: Final = 128
_PATH_LIMIT: Final = 100
_PR_SET_PDEATHSIG: Final = 1
_PROJECT: Final = Path(__file__).resolve().parents[2]


def keeper_command(socket_path: Path, *, children: int) -> list[str]:
    """How to start the keeper; it ends when the process that started it does."""
    if len(os.fsencode(socket_path)) > _PATH_LIMIT:
        raise NotScanned("The folder for the face detection socket has too long a name.")
    command = [sys.executable, "-s", "-P", "-B", "-m", "gatekeeper.faces.service"]
    return [*command, str(socket_path), str(children), str(os.getpid())]


def keeper_environment(*, children: int) -> Mapping[str, str]:
    """All the keeper is told of the world: no secret of the starting process reaches it."""
    threads = str(_threads(children))
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(_PROJECT),
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": threads,
        "OMP_WAIT_POLICY": "passive",
        "OPENBLAS_NUM_THREADS": "1",
    }


@contextmanager
def face_service(folder: Path, *, children: int = 2) -> Iterator[FaceClient]:
    """A running detection service in this folder, and a client of it; both are gone at the end of the block."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket_path = folder / "faces.sock"
    with Popen(
        keeper_command(socket_path, children=children),
        env=keeper_environment(children=children),
        cwd="/",
        stdin=DEVNULL,
        stdout=DEVNULL,
        close_fds=True,
    ) as keeper:
        try:
            yield FaceClient(socket_path)
        finally:
            keeper.terminate()
            try:
                keeper.wait(5)
            except TimeoutExpired:
                keeper.kill()


def _threads(children: int) -> int:
    """A thread per core, shared out among the children: with more of them they would only wait for each other."""
    return max(1, len(os.sched_getaffinity(0)) // children)


def _die_with(parent: int, how: signal.Signals) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, how, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


class _Keeper:
    """Holds the socket open and the right number of children alive."""

    def __init__(self, socket_path: Path, children: int) -> None:
        self._path = socket_path
        self._wanted = children
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
        _serve(self._listener, threads=_threads(self._wanted))

    def _stop(self, _number: int, _frame: FrameType | None) -> Never:
        for child in self._started:
            os.kill(child, signal.SIGKILL)
        self._path.unlink(missing_ok=True)
        os._exit(0)


def _serve(listener: socket.socket, *, threads: int) -> Never:
    """One child: load the models, then answer one connection after the other until memory says to begin afresh."""
    from gatekeeper.faces.answering import Answering

    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    answering = Answering(threads=threads)
    while True:
        connection, _ = listener.accept()
        signal.alarm(PHOTO_SECONDS)  # the kernel's timer at its default action: no library can catch it and go on
        with connection:
            answering.answer(connection)
        signal.alarm(0)
        if not answering.usable or _resident() > RESTART_ABOVE:
            os._exit(0)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def main() -> None:
    """Keep the service running until the parent ends or asks to stop."""
    socket_path, children, parent = sys.argv[1:4]
    _die_with(int(parent), signal.SIGTERM)
    _Keeper(Path(socket_path), int(children)).run()


if __name__ == "__main__":
    main()
