"""What a person sees of the ledger: whether it is whole, where it stands, and its entries, whatever they turn out to be."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from approvals import ledger_records
from approvals.ledger_check import Verification
from approvals.ledger_entries import Stored, is_readable, last_number, latest
from approvals.tables import LedgerEntry
from gatekeeper.cases.rules import Viewer
from gatekeeper.workflow import anchor
from gatekeeper.workflow.case_withheld import is_about, withheld_cases

_SEAL_LETTERS = 64
END: Final = 200
"""How many entries of the end are read for a page. All of a long ledger takes a while, and is read when it is asked for."""

_PEOPLE = frozenset({"by", "person", "approver", "author", "head", "deputy"})


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What reading the whole ledger showed, and what was mailed of it last."""

    verified: Verification
    mailed: anchor.Mailed | None
    seal: str  # the one that was asked about, where one was

    @property
    def is_whole(self) -> bool:
        """Whether every entry was read, and not the end alone."""
        return self.verified.since <= 1


@dataclass(frozen=True, kw_only=True)
class Line:
    """One entry. `at` is empty where the entry tells no time.

    Of one that is `withheld` from the reader it says that it is there, and its seal: the chain has no gaps.
    """

    seq: int
    at: datetime | None
    kind: str
    facts: list[tuple[str, str]]
    hash: str
    key: str
    withheld: bool = False


def standing(session: Session, *, keys: tuple[str, ...], seal: str = "", whole: bool = False) -> Standing:
    """Read the end of the ledger and hold it against the list of keys, the records, and a hash that was noted.

    A ledger no longer than that end is read whole, and so is any where `whole` asks for it. A hash that was noted
    before the end is looked for, and read from only where somebody asked about it.

    Args:
        session: any transaction.
        keys: the public keys from outside the database.
        seal: a hash from an e-mail or a receipt. Without one, the last that was mailed is looked for.
        whole: read every entry.
    """
    mailed = anchor.last_mailed(session)
    noted = seal or (mailed.anchor.head if mailed else None)
    since = 1 if whole else max(1, last_number(session) - END + 1)
    if noted and not seal and not whole:
        place = session.scalar(select(func.min(LedgerEntry.seq)).where(LedgerEntry.hash == noted))
        noted = None if place is not None and place < since else noted  # it is there; what follows it is not all read
    verified = ledger_records.verify(session, keys=keys or None, anchor=noted, since=since)
    return Standing(verified=verified, mailed=mailed, seal=seal)


def read_seal(typed: str) -> str:
    """A hash as somebody copied it; empty where it is none."""
    found = "".join(typed.split()).lower()
    return found if len(found) == _SEAL_LETTERS and not set(found) - set("0123456789abcdef") else ""


def lines(session: Session, names: Mapping[int, str], *, reader: Viewer, limit: int, offset: int) -> list[Line]:
    """Entries for a page, the newest first. What tells of a case about the reader is withheld from them."""
    cases = withheld_cases(session, reader)
    return [_line(entry, names, cases) for entry in latest(session, limit=limit, offset=offset)]


def _line(entry: Stored, names: Mapping[int, str], cases: frozenset[int]) -> Line:
    said, key = entry.said(), entry.key_id or ""
    if is_about(said, cases):
        return Line(seq=entry.seq, at=None, kind="withheld from you", facts=[], hash=entry.hash, key=key, withheld=True)
    return Line(
        seq=entry.seq,
        at=datetime.fromisoformat(entry.at) if is_readable(entry) else None,
        kind=entry.kind.replace(".", " ").replace("_", " "),
        facts=[(name.replace("_", " "), _told(name, value, names)) for name, value in said.items()],
        hash=entry.hash,
        key=key,
    )


def _told(name: str, value: Any, names: Mapping[int, str]) -> str:
    if name in _PEOPLE:
        if value is None:
            return "Gatekeeper"
        if isinstance(value, int):
            return names.get(value, str(value))
    return "–" if value is None or value == "" else str(value)
