"""Where the private sockets of a data folder lie."""

import getpass
import hashlib
import os
import stat
import tempfile
from pathlib import Path

from gatekeeper.errors import SettingsError

_LONGEST = 100  # Linux takes 107 bytes in a socket's path, macOS 103


def socket_path(data: Path, name: str) -> Path:
    """The path of this data folder's socket of that name; one too long for a socket moves to a private folder.

    Raises:
        SettingsError: that folder belongs to somebody else.
    """
    path = data / "run" / f"{name}.sock"
    if len(os.fsencode(path)) <= _LONGEST:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path
    mark = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"gatekeeper-{getpass.getuser()}-{mark}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise SettingsError(f"{folder} is not ours alone. Remove it, or choose a data folder with a shorter path.")
    return folder / f"{name}.sock"
