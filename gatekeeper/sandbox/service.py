"""How to start an engine's keeper, with nothing of the starting process in its hands."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired
from typing import Final

from gatekeeper.errors import NotScanned

_PATH_LIMIT: Final = 100
_PROJECT: Final = Path(__file__).resolve().parents[2]


def keeper_command(module: str, socket_path: Path, *, children: int) -> list[str]:
    """How to start the keeper in this module; it ends when the process that started it does.

    Raises:
        NotScanned: the path is too long for a socket.
    """
    if len(os.fsencode(socket_path)) > _PATH_LIMIT:
        raise NotScanned("The folder for the socket of the photo scan has too long a name.")
    command = [sys.executable, "-s", "-P", "-B", "-m", module]
    return [*command, str(socket_path), str(children), str(os.getpid())]


def keeper_environment(*, children: int) -> Mapping[str, str]:
    """All the keeper is told of the world: no secret of the starting process reaches it."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(_PROJECT),
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": str(threads_for(children)),
        "OMP_WAIT_POLICY": "passive",
        "OPENBLAS_NUM_THREADS": "1",
    }


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def threads_for(children: int) -> int:
    """Threads of each child: the cores shared out, but two where there are two.

    A photo that comes alone then has both; two at once cost each other nothing that could be measured.
    """
    return min(cores(), max(2, cores() // children))


@contextmanager
def running(module: str, socket_path: Path, *, children: int) -> Iterator[None]:
    """A running service; it is gone at the end of the block."""
    socket_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Popen(
        keeper_command(module, socket_path, children=children),
        env=keeper_environment(children=children),
        cwd="/",
        stdin=DEVNULL,
        stdout=DEVNULL,
        close_fds=True,
    ) as keeper:
        try:
            yield
        finally:
            keeper.terminate()
            try:
                keeper.wait(5)
            except TimeoutExpired:
                keeper.kill()
