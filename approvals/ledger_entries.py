"""The entries of the ledger as the bare texts they are stored as.

Whoever can write into the database may have changed anything in it. What reads the ledger to judge it, or to show it,
reads it from here: whatever an entry turns out to be can be said in a sentence, and is never stumbled over.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import LargeBinary, Select, String, bindparam, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from approvals.columns import utc_text
from approvals.ledger import KEY_CHANGED, KEY_NAMED, SIGNER, canonical, entry_hash
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
    if first <= 1:
        wanted = query(session) if last is None else query(session).where(LedgerEntry.seq <= last)
        rows = session.execute(wanted).all()
    elif last is None:
        rows = session.execute(_from(_dialect(session)), {"first": first}).all()
    else:
        rows = session.execute(_between(_dialect(session)), {"first": first, "last": last}).all()
    yield from map(stored, rows)


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

    A process that holds the ledger's key believes no entry that is not signed with it. An entry from before the key
    was changed, or before there was one, is sealed by the later entry with which the key took over.
    """
    signer: Signer | None = session.info.get(SIGNER)
    row = session.execute(_between(_dialect(session)), {"first": seq, "last": seq}).first()
    entry = stored(row) if row is not None else None
    if entry is None or not entry.fits:
        return None
    if signer is None or signer.has_signed(entry.hash, entry.signature):  # most times: nothing after it need be read
        return entry
    return _sealed_later(session, seq, signer)


def all_as_written(session: Session, kind: str, *, before: int) -> tuple[Stored, ...] | None:
    """Every entry of this kind before that number, in order; None where one of them is not `as_written`.

    What was found of an entry is remembered by its very bytes, and these are read anew each time.
    """
    signer: Signer | None = session.info.get(SIGNER)
    rows = session.execute(_of_kind(_dialect(session)), {"kind": kind, "before": before})
    found = tuple(map(stored, rows))
    for entry in found:
        if not (entry.fits if signer is None else _is_own(entry, signer.public)) and (
            as_written(session, entry.seq) is None
        ):
            return None
    return found


@lru_cache(maxsize=1024)
def _is_own(entry: Stored, public: str) -> bool:
    """Whether it is whole and that key signed it: asked of the entry alone, so the same entry has the same answer."""
    return entry.fits and entry.is_signed_with(public)


def _sealed_later(session: Session, seq: int, signer: Signer) -> Stored | None:
    """The entry, where the key took over after it. Any other entry after it vouches for nothing but itself."""
    wanted: Stored | None = None
    before = ""
    with session.execute(query(session, seq).execution_options(yield_per=100)) as rows:
        for row in rows:
            entry = stored(row)
            if not entry.fits or (entry.prev_hash != before if wanted else entry.seq != seq):
                return None
            if wanted and _takes_over(entry, signer):
                return wanted
            wanted, before = wanted or entry, entry.hash
    return None


def _takes_over(entry: Stored, signer: Signer) -> bool:
    """Whether the key put its name to everything before: it was the first, or came after another."""
    if entry.kind == KEY_NAMED:
        return entry.is_signed_with(signer.public)
    return entry.kind == KEY_CHANGED and entry.is_accepted_by(signer.public)


def is_readable(entry: Stored) -> bool:
    """Whether the program can read it back: a forger may have written anything, and hashed it."""
    try:
        moment = datetime.fromisoformat(entry.at)
        return bool(entry.kind) and utc_text(moment) == entry.at and canonical(json.loads(entry.body)) == entry.body
    except (ValueError, TypeError, RecursionError):
        return False


def query(session: Session, first: int = 1) -> Select[Any]:
    """Asks for the entries from `first` on, in order; each row is read with `stored`."""
    every = _every(_dialect(session))
    # nothing is left out of a whole reading: an entry before the first is to be found as well
    return every if first <= 1 else every.where(_COLUMNS.seq >= first)


_COLUMNS = LedgerEntry.__table__.c


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name


# each is made once for a dialect: they are asked for every post that goes out


@cache
def _every(dialect: str) -> Select[Any]:
    columns = [_COLUMNS[name] for name in Stored._fields[1:]]
    if dialect == "sqlite":  # keeps any bytes where a text is due, and would stumble over them
        told: list[Any] = [cast(column, LargeBinary).label(column.name) for column in columns]
    else:
        told = [type_coerce(column, String).label(column.name) for column in columns]
    return select(_COLUMNS.seq, *told).order_by(_COLUMNS.seq)


@cache
def _from(dialect: str) -> Select[Any]:
    return _every(dialect).where(_COLUMNS.seq >= bindparam("first"))


@cache
def _between(dialect: str) -> Select[Any]:
    return _from(dialect).where(_COLUMNS.seq <= bindparam("last"))


@cache
def _of_kind(dialect: str) -> Select[Any]:
    return _every(dialect).where(_COLUMNS.kind == bindparam("kind"), _COLUMNS.seq < bindparam("before"))


def stored(row: Any) -> Stored:
    """One row of `query`."""
    seq, *parts = row
    at, kind, body, prev_hash, hashed, key_id, signature = [
        part.decode(errors="replace") if isinstance(part, bytes) else part for part in parts
    ]
    return Stored(
        seq, _text(at), _text(kind), _text(body), _text(prev_hash), _text(hashed), key_id=key_id, signature=signature
    )


def _text(part: object) -> str:
    return part if isinstance(part, str) else "" if part is None else str(part)
