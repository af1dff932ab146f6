"""Run inside a small file system of its own: a publisher meets a disk that is really full, and goes on when there is room.

`python -m tests.workers.full_disk FOLDER PLATFORM` prints one line of JSON with what was seen.
"""

import errno
import json
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.workers.sending import Sending

POSTS = 6
_PATIENCE = 40.0
_SAYS = "Nothing is sent until the database can be written again"


def fill(path: Path) -> str:
    """Write until nothing fits any more; the name of what the system says then."""
    with path.open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError as error:
                said = errno.errorcode[error.errno or 0]
    return said


def wait(truth: Callable[[], object]) -> bool:
    """Whether it became true in time."""
    deadline = time.monotonic() + _PATIENCE
    while not truth():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def main() -> None:
    """Fill the disk under a publisher that has posts to send, look, make room, and look again."""
    folder, platform = Path(sys.argv[1]), sys.argv[2]
    sending = Sending(folder, platform, log=folder.parent / "publisher.log")  # or nobody could read what it says
    try:
        publications = [sending.approve(number, "x") for number in range(1, POSTS + 1)]
        sending.make_due(*publications)
        with closing(sqlite3.connect(folder / "gatekeeper.db", isolation_level=None)) as emptied:
            emptied.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log has to grow again for the next line in it
        said = fill(folder / "filler")
        sending.start()
        told = wait(lambda: _SAYS in sending.log)
        full = sorted(sending.states().values())
        (folder / "filler").unlink()
        sent = wait(lambda: set(sending.states().values()) == {"published"})
        seen = {"full": said, "told": told, "states": full, "sent": sent, "log": sending.log}
        print(json.dumps({**seen, "after": sorted(sending.states().values())}))
    finally:
        sending.end()


if __name__ == "__main__":
    main()
