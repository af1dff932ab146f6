"""What a person sees of the ledger: whether it is whole, where it stands, and its entries, whatever they turn out to be."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from approvals import ledger_records
from approvals.ledger_check import Verification
from approvals.ledger_entries import Stored, is_readable, latest
from gatekeeper.workflow import anchor

_SEAL_LETTERS = 64
_PEOPLE = frozenset({"by", "person", "approver", "author", "head", "deputy"})


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What reading the whole ledger showed, and what was mailed of it last."""

    verified: Verification
    mailed: anchor.Mailed | None
    seal: str  # the one that was asked about, where one was


@dataclass(frozen=True, kw_only=True)
class Line:
    """One entry. `at` is empty where the entry tells no time."""

    seq: int
    at: datetime | None
    kind: str
    facts: list[tuple[str, str]]
    hash: str
    key: str


def standing(session: Session, *, keys: tuple[str, ...], seal: str = "") -> Standing:
    """Read the whole ledger and hold it against the list of keys, the records, and a hash that was noted.

    Args:
        session: any transaction.
        keys: the public keys from outside the database.
        seal: a hash from an e-mail or a receipt. Without one, the last that was mailed is looked for.
    """
    mailed = anchor.last_mailed(session)
    noted = seal or (mailed.anchor.head if mailed else None)
    return Standing(verified=ledger_records.verify(session, keys=keys or None, anchor=noted), mailed=mailed, seal=seal)


def read_seal(typed: str) -> str:
    """A hash as somebody copied it; empty where it is none."""
    found = "".join(typed.split()).lower()
    return found if len(found) == _SEAL_LETTERS and not set(found) - set("0123456789abcdef") else ""


def lines(session: Session, names: Mapping[int, str], *, limit: int, offset: int) -> list[Line]:
    """Entries for a page, the newest first."""
    return [_line(entry, names) for entry in latest(session, limit=limit, offset=offset)]


def _line(entry: Stored, names: Mapping[int, str]) -> Line:
    return Line(
        seq=entry.seq,
        at=datetime.fromisoformat(entry.at) if is_readable(entry) else None,
        kind=entry.kind.replace(".", " ").replace("_", " "),
        facts=[(name.replace("_", " "), _told(name, value, names)) for name, value in entry.said().items()],
        hash=entry.hash,
        key=entry.key_id or "",
    )


def _told(name: str, value: Any, names: Mapping[int, str]) -> str:
    if name in _PEOPLE:
        if value is None:
            return "Gatekeeper"
        if isinstance(value, int):
            return names.get(value, str(value))
    return "–" if value is None or value == "" else str(value)
