"""Holds the records of decisions and withdrawals against the ledger, one by one, in both directions.

The chain alone cannot tell that a row was taken away or put in beside it: so every row must have its entry and say what
the entry says, and every entry must have its row.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from approvals import ledger_check
from approvals.decisions import RECORDED, WITHDRAWN, fits_entry, withdrawal_fits_entry
from approvals.ledger_check import RecordProblem, Verification
from approvals.ledger_entries import Stored, of_kinds
from approvals.tables import Decision, Withdrawal

#: what reading a row can raise when somebody else wrote it: no date, no JSON, no text at all
_UNREADABLE = (SQLAlchemyError, ValueError, TypeError, LookupError, AttributeError)


@dataclass(frozen=True)
class _Recorded:
    """One table whose every row has an entry of one kind."""

    table: type[Decision] | type[Withdrawal]
    kind: str
    noun: str
    fits: Callable[[Any, Stored], bool]


_TABLES = (
    _Recorded(Decision, RECORDED, "decision", fits_entry),
    _Recorded(Withdrawal, WITHDRAWN, "withdrawal", withdrawal_fits_entry),
)


def verify(session: Session, **asked: Any) -> Verification:
    """Read the chain as `ledger_check.verify` does, and hold the records against it."""
    found = ledger_check.verify(session, **asked)
    problems = tuple(problem for recorded in _TABLES for problem in _problems(session, recorded, since=found.since))
    if not problems:
        return found
    first, *_ = problems = tuple(sorted(problems, key=lambda problem: problem.entry))
    if not found.ok:
        return replace(found, records=problems)
    return replace(found, ok=False, broken_at=first.entry, reason=first.problem, records=problems)


def _problems(session: Session, recorded: _Recorded, *, since: int) -> Iterator[RecordProblem]:
    table, noun = recorded.table, recorded.noun
    # the rows first: each was committed with its entry, so the entry is there when the entries are read afterwards
    places = {
        str(row.id): int(row.ledger_seq)
        for row in session.execute(select(table.id, table.ledger_seq).where(table.ledger_seq >= since))
    }
    rows = _rows(session, table, since=since, ids=list(places))
    entries = {entry.seq: entry for entry in of_kinds(session, (recorded.kind,), first=since)}
    for row_id, seq in places.items():
        entry, row = entries.pop(seq, None), rows.get(row_id)
        if entry is None:
            yield RecordProblem(
                entry=seq, problem=f"The {noun} {row_id} is in the records, but entry {seq} of the ledger is not its."
            )
        elif row is None:
            yield RecordProblem(entry=seq, problem=f"The record of the {noun} in entry {seq} cannot be read.")
        elif not recorded.fits(row, entry):
            yield RecordProblem(
                entry=seq, problem=f"The record of the {noun} in entry {seq} says something else than the ledger."
            )
    for seq in entries:
        if session.scalar(select(table.id).where(table.ledger_seq == seq)) is None:  # not one of this very moment
            yield RecordProblem(entry=seq, problem=f"Entry {seq} holds a {noun} whose record is gone.")


def _rows(session: Session, table: type[Any], *, since: int, ids: list[str]) -> dict[str, Any]:
    """The rows by id; what cannot be read is left out."""
    try:
        return {row.id: row for row in session.scalars(select(table).where(table.ledger_seq >= since))}
    except _UNREADABLE:
        found = {}
        for row_id in ids:
            try:
                found[row_id] = session.scalars(select(table).where(table.id == row_id)).one()
            except _UNREADABLE:
                continue
        return found
