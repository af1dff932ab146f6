"""The reading service: `python -m gatekeeper.lettering.service SOCKET CHILDREN PARENT_PID`.

Its keeper and children are its own (see `gatekeeper.sandbox.keeper`): what a picture does to them cannot reach the
detection of faces.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gatekeeper.lettering.client import ReaderClient
from gatekeeper.sandbox import service
from gatekeeper.sandbox.keeper import keep

MODULE: Final = "gatekeeper.lettering.service"
RESTART_ABOVE: Final = 600_000_000


@contextmanager
def reading_service(folder: Path, *, children: int = 1) -> Iterator[ReaderClient]:
    """A running reading service in this folder, and a client of it; both are gone at the end of the block."""
    socket_path = folder / "letters.sock"
    with service.running(MODULE, socket_path, children=children):
        yield ReaderClient(socket_path)


def main() -> None:
    """Keep the service running until the parent ends or asks to stop."""
    from gatekeeper.lettering.answering import LetterEngine  # models are loaded in the children, never in a client

    keep(LetterEngine, restart_above=RESTART_ABOVE)


if __name__ == "__main__":
    main()
