"""Holds the records of questions, decisions, withdrawals, deputies and passkeys against the ledger, in both directions.

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
from approvals.assertions import key_hash
from approvals.columns import utc_text
from approvals.decisions import RECORDED, WITHDRAWN, fits_entry, withdrawal_fits_entry
from approvals.ledger import salted_hash
from approvals.ledger_check import RecordProblem, Verification
from approvals.ledger_entries import Stored, of_kinds
from approvals.passkeys import public_bytes
from approvals.requests import OPENED
from approvals.tables import ApprovalRequest, ApproverPasskey, Decision, DeputyAppointment, Withdrawal

#: what reading a row can raise when somebody else wrote it: no date, no JSON, no text at all
_UNREADABLE = (SQLAlchemyError, ValueError, TypeError, LookupError, AttributeError)


@dataclass(frozen=True)
class _Recorded:
    """One table whose every row has an entry of one kind; the column `seq` says which."""

    table: type[Any]
    kind: str
    noun: str
    fits: Callable[[Any, Stored], bool]
    seq: str = "ledger_seq"


def question_fits_entry(asked: ApprovalRequest, entry: Stored) -> bool:
    """Whether the row of a question says what this entry says."""
    told = {
        "request": asked.id,
        "subject": asked.subject,
        "version": asked.version_ref,
        "digest": asked.digest,
        "author": asked.author_id,
        "approver": asked.approver_id,
        "override_asked": asked.override_asked,
    }
    return _says(entry, told | _moments(expires_at=asked.expires_at), kind=OPENED, at=asked.opened_at)


def appointment_fits_entry(one: DeputyAppointment, entry: Stored) -> bool:
    """Whether the row of an appointment says what this entry says. A purged reason is not asked about."""
    told = {"appointment": one.id, "head": one.head_id, "deputy": one.deputy_id, "proof": one.proof_method}
    try:
        if one.reason is not None:
            told["reason"] = salted_hash(one.reason, salt=one.reason_salt).digest
    except (TypeError, ValueError):
        return False
    moments = _moments(**{"from": one.starts_at, "to": one.ends_at})
    return _says(entry, told | moments, kind="deputy.named", at=one.named_at)


def _moments(**moments: Any) -> dict[str, Any]:
    return {name: utc_text(at) for name, at in moments.items()}


def _says(entry: Stored, told: dict[str, Any], *, kind: str, at: Any) -> bool:
    said = entry.said()
    written = (entry.kind, entry.at) == (kind, utc_text(at))
    return written and all(said.get(name) == value for name, value in told.items())


_TABLES = (
    _Recorded(ApprovalRequest, OPENED, "question", question_fits_entry, seq="opened_seq"),
    _Recorded(Decision, RECORDED, "decision", fits_entry),
    _Recorded(Withdrawal, WITHDRAWN, "withdrawal", withdrawal_fits_entry),
    _Recorded(DeputyAppointment, "deputy.named", "appointment of a deputy", appointment_fits_entry),
)


def verify(session: Session, **asked: Any) -> Verification:
    """Read the chain as `ledger_check.verify` does, and hold the records against it."""
    found = ledger_check.verify(session, **asked)
    problems = tuple(problem for recorded in _TABLES for problem in _problems(session, recorded, since=found.since))
    problems += tuple(_passkeys(session))
    problems += tuple(
        _brought_back(session, DeputyAppointment, "deputy.ended", "appointment", "appointment of a deputy")
    )
    problems += tuple(_brought_back(session, ApproverPasskey, "passkey.ended", "passkey", "passkey"))
    if not problems:
        return found
    first, *_ = problems = tuple(sorted(problems, key=lambda problem: problem.entry))
    if not found.ok:
        return replace(found, records=problems)
    return replace(found, ok=False, broken_at=first.entry, reason=first.problem, records=problems)


def _problems(session: Session, recorded: _Recorded, *, since: int) -> Iterator[RecordProblem]:
    table, noun = recorded.table, recorded.noun
    column = getattr(table, recorded.seq)
    # the rows first: each was committed with its entry, so the entry is there when the entries are read afterwards
    places = {str(row_id): int(seq) for row_id, seq in session.execute(select(table.id, column).where(column >= since))}
    rows = _rows(session, table, column >= since, ids=list(places))
    entries = {entry.seq: entry for entry in of_kinds(session, (recorded.kind,), first=since)}
    for row_id, seq in places.items():
        entry, row = entries.pop(seq, None), rows.get(row_id)
        if entry is None:
            yield RecordProblem(
                entry=seq, problem=f"The {noun} {row_id} is in the records, but entry {seq} of the ledger is not its."
            )
        elif row is None:
            yield RecordProblem(entry=seq, problem=f"The record of the {noun} in entry {seq} cannot be read.")
        elif not _fits(recorded, row, entry):
            yield RecordProblem(
                entry=seq, problem=f"The record of the {noun} in entry {seq} says something else than the ledger."
            )
    for seq in entries:
        if session.scalar(select(table.id).where(column == seq)) is None:  # not one of this very moment
            yield RecordProblem(entry=seq, problem=f"Entry {seq} holds {_a(noun)} whose record is gone.")


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _fits(recorded: _Recorded, row: Any, entry: Stored) -> bool:
    try:
        return recorded.fits(row, entry)
    except _UNREADABLE:  # not written by us
        return False


def _passkeys(session: Session) -> Iterator[RecordProblem]:
    """Passkeys that were put in, changed or taken away; their rows tell no entry, so each is looked for by its id."""
    ids = [str(one) for one in session.scalars(select(ApproverPasskey.id))]
    rows = _rows(session, ApproverPasskey, ApproverPasskey.id.in_(ids), ids=ids)
    added = {str(entry.said().get("passkey")): entry for entry in of_kinds(session, ("passkey.added",))}
    for row_id in ids:
        entry = added.pop(row_id, None)
        if entry is None:
            yield RecordProblem(entry=1, problem=f"The passkey {row_id} is in the records, but the ledger knows none.")
        elif not _is_passkey(rows.get(row_id), entry):
            yield RecordProblem(
                entry=entry.seq,
                problem=f"The record of the passkey in entry {entry.seq} says something else than the ledger.",
            )
    for entry in added.values():
        if session.scalar(select(ApproverPasskey.id).where(ApproverPasskey.id == entry.said().get("passkey"))) is None:
            yield RecordProblem(entry=entry.seq, problem=f"Entry {entry.seq} holds a passkey whose record is gone.")


def _is_passkey(row: ApproverPasskey | None, entry: Stored) -> bool:
    try:
        return row is not None and entry.said() == {
            "person": row.person_id,
            "passkey": row.id,
            "key": key_hash(public_bytes(row)),
        }
    except Exception:  # noqa: BLE001 - a key that somebody made up fails in every way there is
        return False


def _brought_back(session: Session, table: type[Any], kind: str, named: str, noun: str) -> Iterator[RecordProblem]:
    """What the ledger knows as ended, and the records no longer do; and the other way round."""
    ended = {str(entry.said().get(named)): entry.seq for entry in of_kinds(session, (kind,))}
    standing = {str(one) for one in session.scalars(select(table.id).where(table.ended_at.is_(None)))}
    for row_id, seq in ended.items():
        if row_id in standing:
            yield RecordProblem(entry=seq, problem=f"Entry {seq} ended {_a(noun)} that the records hold as not ended.")
    for row_id in session.scalars(select(table.id).where(table.ended_at.is_not(None))):
        if str(row_id) not in ended:
            yield RecordProblem(entry=1, problem=f"The {noun} {row_id} is ended in the records, but not in the ledger.")


def _rows(session: Session, table: type[Any], wanted: Any, *, ids: list[str]) -> dict[str, Any]:
    """The rows by id; what cannot be read is left out."""
    try:
        return {row.id: row for row in session.scalars(select(table).where(wanted))}
    except _UNREADABLE:
        found = {}
        for row_id in ids:
            try:
                found[row_id] = session.scalars(select(table).where(table.id == row_id)).one()
            except _UNREADABLE:
                continue
        return found
