"""What one process has itself read of the ledger, link by link, so that a long ledger is not read anew for each post.

Each question reads the last entry it knows and everything after it, within the caller's transaction. The hash of that
entry seals all that came before: as long as it is the one that was read, what is kept here is what was written then,
whatever has been done to the rows since. Where it is not, everything is read anew.
"""

from collections.abc import Callable

from sqlalchemy.orm import Session

from approvals import ledger_entries
from approvals.ledger import KEY_CHANGED, SIGNER
from approvals.ledger_entries import Stored
from approvals.signing import Signer

SEEN = "ledger_seen"
"""Under this name a session carries what its process has read."""


class SeenChain:
    """Entries that were read and found whole, from one number to another."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._first, self._before = 0, ""  # the first entry's number, and the hash that it is sealed to
        self._last: Stored | None = None
        self._ends: dict[str, int] = {}

    def last_end(self, session: Session, *whats: str, since: int, ends: Callable[[Stored], str | None]) -> int | None:
        """The number of the latest entry that ended any of `whats`, 0 where none did.

        None where the ledger is not whole since that entry: one was changed or taken out, or a stranger wrote the last.

        Args:
            session: the caller's transaction, which holds the ledger's lock.
            whats: what may have been ended.
            since: the entry from which on the ledger has to be whole.
            ends: what an entry ends; always the same question to one chain.
        """
        if self._last is not None and not (self._grow_back(session, since, ends) and self._grow(session, ends)):
            self._forget()
        if self._last is None and not self._read(session, since, ends):
            self._forget()
            return None
        signer: Signer | None = session.info.get(SIGNER)
        last = self._last
        if last is None or not (signer is None or _is_sealed_by(last, signer)):
            self._forget()
            return None
        found = max(self._ends.get(what, 0) for what in whats)
        return found if found > since else 0

    def _read(self, session: Session, since: int, ends: Callable[[Stored], str | None]) -> bool:
        found = _whole(session, since)
        if not found:
            return False
        self._first, self._before, self._last = since, found[0].prev_hash, found[-1]
        self._note(found, ends)
        return True

    def _grow(self, session: Session, ends: Callable[[Stored], str | None]) -> bool:
        """Read the last known entry and what came after it. False where that entry is another one now."""
        assert self._last is not None
        found = _whole(session, self._last.seq)
        if not found or found[0] != self._last:
            return False
        self._last = found[-1]
        self._note(found, ends)
        return True

    def _grow_back(self, session: Session, since: int, ends: Callable[[Stored], str | None]) -> bool:
        """Read what lies between `since` and the first known entry. False where the two do not fit."""
        if since >= self._first:
            return self._last is not None and since <= self._last.seq
        found = _whole(session, since, last=self._first - 1)
        if not found or found[-1].seq != self._first - 1 or found[-1].hash != self._before:
            return False
        self._first, self._before = since, found[0].prev_hash
        self._note(found, ends)
        return True

    def _note(self, found: list[Stored], ends: Callable[[Stored], str | None]) -> None:
        for entry in found:
            what = ends(entry)
            if what is not None:
                self._ends[what] = max(entry.seq, self._ends.get(what, 0))


def _whole(session: Session, first: int, *, last: int | None = None) -> list[Stored] | None:
    """These entries; None where one was changed or taken out."""
    found: list[Stored] = []
    for number, entry in enumerate(ledger_entries.entries(session, first=first, last=last), start=first):
        if entry.seq != number or not entry.fits or (found and entry.prev_hash != found[-1].hash):
            return None
        found.append(entry)
    return found or None


def _is_sealed_by(last: Stored, signer: Signer) -> bool:
    """Whether the ledger's key itself put its name to the last entry, and so to everything before."""
    return signer.has_signed(last.hash, last.signature) or (
        last.kind == KEY_CHANGED and last.is_accepted_by(signer.public)
    )
