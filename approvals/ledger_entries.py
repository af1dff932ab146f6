"""The entries of the ledger as the bare texts they are stored as.

Whoever can write into the database may have changed anything in it. What reads the ledger to judge it, or to show it,
reads it from here: whatever an entry turns out to be can be said in a sentence, and is never stumbled over.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import LargeBinary, Select, String, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from approvals.columns import utc_text
from approvals.ledger import KEY_CHANGED, SIGNER, canonical, entry_hash
from approvals.signing import Signer, is_accepted, is_signed, key_id_of
from approvals.tables import LedgerEntry


class Stored(NamedTuple):
    """One entry exactly as it lies in the database, whatever has been done to it there."""

    seq: int
    at: str
    kind: str
    body: str
    prev_hash: str
    hash: str
    key_id: str | None
    signature: str | None

    @property
    def fits(self) -> bool:
        """Whether its hash is that of its own content."""
        return self.hash == entry_hash(self.prev_hash, seq=self.seq, at=self.at, kind=self.kind, body=self.body)

    def said(self) -> dict[str, Any]:
        """The body, read; empty where it is no body."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def introduced(self) -> str | None:
        """The public half that this entry introduces; None where it is none, or not the one it is called by."""
        said = self.said()
        public = said.get("public")
        try:
            return public if isinstance(public, str) and key_id_of(public) == said.get("key") else None
        except ValueError:
            return None

    def is_accepted_by(self, public: str) -> bool:
        """Whether that key itself says here that it takes over."""
        return is_accepted(self.prev_hash, str(self.said().get("accepted", "")), public=public)

    def is_signed_with(self, public: str) -> bool:
        """Whether that key signed it."""
        return self.signature is not None and is_signed(self.hash, self.signature, public=public)


def entries(session: Session, *, first: int = 1, last: int | None = None) -> Iterator[Stored]:
    """The entries from `first` to `last`, as they are stored."""
    wanted = query(session, first)
    if last is not None:
        wanted = wanted.where(LedgerEntry.seq <= last)
    for row in session.execute(wanted).all():
        yield stored(row)


def latest(session: Session, *, limit: int, offset: int = 0) -> list[Stored]:
    """Entries as they are stored, the newest first."""
    newest = query(session).order_by(None).order_by(LedgerEntry.seq.desc()).limit(limit).offset(offset)
    return [stored(row) for row in session.execute(newest)]


def of_kinds(session: Session, kinds: Sequence[str], *, first: int = 1) -> list[Stored]:
    """The entries of these kinds, in order, as they are stored."""
    return [stored(row) for row in session.execute(query(session, first).where(LedgerEntry.kind.in_(kinds)))]


def first_since(session: Session, moment: datetime) -> int:
    """The number of the first entry at or after that moment; one more than the last where there is none."""
    since = select(func.min(LedgerEntry.seq)).where(type_coerce(LedgerEntry.at, String) >= utc_text(moment))
    return session.scalar(since) or last_number(session) + 1


def last_number(session: Session) -> int:
    """The number of the last entry, 0 for an empty ledger."""
    return session.scalar(select(func.max(LedgerEntry.seq))) or 0


def as_written(session: Session, seq: int) -> Stored | None:
    """The entry with this number, or None where it is not as it was written or nobody with the key wrote it.

    A process that holds the ledger's key believes no entry that is not sealed by it. An entry from before the key was
    changed, or before there was one, is sealed by the first later entry that the key signed.
    """
    signer: Signer | None = session.info.get(SIGNER)
    first = session.execute(query(session, seq).limit(1)).first()
    entry = stored(first) if first is not None else None
    if entry is None or entry.seq != seq or not entry.fits:
        return None
    if signer is None or entry.is_signed_with(signer.public):  # most times: nothing after it needs to be read
        return entry
    return _sealed_later(session, seq, signer)


def _sealed_later(session: Session, seq: int, signer: Signer) -> Stored | None:
    wanted: Stored | None = None
    before = ""
    with session.execute(query(session, seq).execution_options(yield_per=100)) as rows:
        for row in rows:
            entry = stored(row)
            if not entry.fits or (entry.prev_hash != before if wanted else entry.seq != seq):
                return None
            if wanted and entry.kind == KEY_CHANGED and entry.is_accepted_by(signer.public):
                return wanted  # taking over, the key put its name to everything before
            wanted, before = wanted or entry, entry.hash
            if entry.is_signed_with(signer.public):
                return wanted
    return None


def is_readable(entry: Stored) -> bool:
    """Whether the program can read it back: a forger may have written anything, and hashed it."""
    try:
        moment = datetime.fromisoformat(entry.at)
        return bool(entry.kind) and utc_text(moment) == entry.at and canonical(json.loads(entry.body)) == entry.body
    except (ValueError, TypeError, RecursionError):
        return False


def query(session: Session, first: int = 1) -> Select[Any]:
    """Asks for the entries from `first` on, in order; each row is read with `stored`."""
    table = LedgerEntry.__table__.c
    columns = [table[name] for name in Stored._fields[1:]]
    if session.get_bind().dialect.name == "sqlite":  # keeps any bytes where a text is due, and would stumble over them
        told: list[Any] = [cast(column, LargeBinary).label(column.name) for column in columns]
    else:
        told = [type_coerce(column, String).label(column.name) for column in columns]
    every = select(LedgerEntry.seq, *told).order_by(LedgerEntry.seq)
    # nothing is left out of a whole reading: an entry before the first is to be found as well
    return every if first <= 1 else every.where(LedgerEntry.seq >= first)


def stored(row: Any) -> Stored:
    """One row of `query`."""
    seq: int = row[0]
    parts = [part.decode(errors="replace") if isinstance(part, bytes) else part for part in row[1:]]
    at, kind, body, prev_hash, hashed = ("" if part is None else str(part) for part in parts[:5])
    return Stored(seq, at, kind, body, prev_hash, hashed, key_id=parts[5], signature=parts[6])
