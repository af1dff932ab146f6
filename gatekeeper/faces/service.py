"""The face service: `python -m gatekeeper.faces.service SOCKET CHILDREN PARENT_PID` (see `gatekeeper.sandbox.keeper`)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gatekeeper.faces.client import FaceClient
from gatekeeper.sandbox import service
from gatekeeper.sandbox.keeper import keep

MODULE: Final = "gatekeeper.faces.service"
RESTART_ABOVE: Final = 700_000_000  # YuNet loses some 8 MB a photo; a fresh child costs a third of a second


def keeper_command(socket_path: Path, *, children: int) -> list[str]:
    """How to start the keeper; it ends when the process that started it does."""
    return service.keeper_command(MODULE, socket_path, children=children)


def keeper_environment(*, children: int) -> Mapping[str, str]:
    """All the keeper is told of the world."""
    return service.keeper_environment(children=children)


@contextmanager
def face_service(folder: Path, *, children: int = 2) -> Iterator[FaceClient]:
    """A running face service in this folder, and a client of it; both are gone at the end of the block."""
    socket_path = folder / "faces.sock"
    with service.running(MODULE, socket_path, children=children):
        yield FaceClient(socket_path)


def main() -> None:
    """Keep the service running until the parent ends or asks to stop."""
    from gatekeeper.faces.answering import FaceEngine  # models are loaded in the children, never in a client

    keep(FaceEngine, restart_above=RESTART_ABOVE)


if __name__ == "__main__":
    main()
