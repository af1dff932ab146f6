"""Remembers on disk which work this process holds, so that a kill costs seconds and not the length of a lease.

A claim in the database lasts longer than the work may take, because nobody can tell a slow worker from a dead one by
looking at a row. On one machine it can be told: a worker and the children it forks share a file lock, which the kernel
lets go when the last of them is gone. Whoever can take the lock finds what its former owner held and puts it back.
"""

import fcntl
import json
import os
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path

from gatekeeper.jobs import Claim

_PLACES = 32


class HeldWork:
    """The piece of work in hand: `note` before it begins, `forget` when its end stands in the database."""

    def __init__(self, folder: Path, queue: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._queue = folder, queue
        self._locks: list[TextIOWrapper] = []
        self._path = folder / f"{queue}-{os.getpid()}.held"
        self.abandoned = self._take_place()

    def note(self, claim: Claim) -> None:
        """This process is about to do that."""
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps([claim.order_id, claim.job, claim.subject_id, claim.attempt, str(claim.ordered_at)]))
        part.rename(self._path)

    def forget(self) -> None:
        """It is done, or put back."""
        self._path.unlink(missing_ok=True)

    def left(self) -> Claim | None:
        """What a child of this process noted and, being dead, never came to forget."""
        return _read(self._path)

    def _take_place(self) -> list[Claim]:
        """Take the first free place for as long as this process lives; tells what the dead have left in all free ones."""
        found: list[Claim] = []
        for number in range(_PLACES):
            path = self._folder / f"{self._queue}-{number}.held"
            if self._locks and not path.exists():
                continue
            lock = path.with_suffix(".lock").open("a")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            if left := _read(path):
                found.append(left)
                path.unlink()
            if self._locks:
                lock.close()
            else:
                self._locks.append(lock)
                self._path = path
        return found


def _read(path: Path) -> Claim | None:
    try:
        order_id, job, subject_id, attempt, ordered_at = json.loads(path.read_text())
        return Claim(order_id, job, subject_id, attempt, datetime.fromisoformat(ordered_at))
    except (FileNotFoundError, ValueError):
        return None
