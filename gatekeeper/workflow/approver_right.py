"""Whether whoever decided had the right to decide at that moment, as the ledger tells it.

The table of staff says who has which role today, and whoever can write into it can make anybody the headteacher for a
minute. The ledger says who had the role when the decision was recorded, so before publishing the ledger is asked.
Only where it speaks of no headteacher at all (an account from before roles stood in it) does today's table count.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger_entries
from approvals.columns import utc_text
from approvals.ledger_entries import Stored
from approvals.tables import Decision, DeputyAppointment
from gatekeeper.people.staff import Role, Staff


def had_the_right(session: Session, decision: Decision, *, author_id: int) -> bool:
    """Whether this person might decide about a post of this author when the decision was recorded."""
    if decision.approver_id == author_id:
        return False
    if decision.appointment_id is not None:
        return _was_appointed(session, decision)
    role = role_at(session, decision.approver_id, decision.ledger_seq)
    if role == Role.HEADTEACHER:
        return True
    return role == Role.DEPUTY and role_at(session, author_id, decision.ledger_seq) == Role.HEADTEACHER


def _was_appointed(session: Session, decision: Decision) -> bool:
    """Whether the appointment named is this person's, stood at that moment, and came from the headteacher of its day."""
    appointment = session.get(DeputyAppointment, decision.appointment_id, populate_existing=True)
    if appointment is None or appointment.deputy_id != decision.approver_id:
        return False
    named = ledger_entries.as_written(session, appointment.ledger_seq)
    if named is None or named.seq >= decision.ledger_seq:
        return False
    said = _read(named.body)
    told = {
        "appointment": appointment.id,
        "head": appointment.head_id,
        "deputy": appointment.deputy_id,
        "from": utc_text(appointment.starts_at),
        "to": utc_text(appointment.ends_at),
    }
    if named.kind != "deputy.named" or any(said.get(name) != value for name, value in told.items()):
        return False
    in_time = appointment.starts_at <= decision.decided_at < appointment.ends_at
    by_head = role_at(session, appointment.head_id, named.seq) == Role.HEADTEACHER
    return in_time and by_head and not _ended_before(session, appointment, decision)


def _ended_before(session: Session, appointment: DeputyAppointment, decision: Decision) -> bool:
    ends = ledger_entries.all_as_written(session, "deputy.ended", before=decision.ledger_seq)
    # where one of them was changed, nobody can say whose it was
    return ends is None or any(_read(entry.body).get("appointment") == appointment.id for entry in ends)


def role_at(session: Session, staff_id: int, seq: int) -> str | None:
    """The role that this person had when this entry was written: a new headteacher ends the former one's time."""
    changes = ledger_entries.all_as_written(session, "role.changed", before=seq)
    if changes is None:
        return None  # a role that nobody with the ledger's key wrote down gives nobody a right
    roles = _roles_after(changes)
    if roles is not None:
        return roles.get(staff_id)
    return session.scalars(select(Staff.role).where(Staff.id == staff_id)).first()


@lru_cache(maxsize=64)
def _roles_after(changes: tuple[Stored, ...]) -> Mapping[int, str] | None:
    """Who had which role after these entries; None where they speak of no headteacher. Drawn from them alone."""
    roles: dict[int, str] = {}
    head_known = False
    for entry in changes:
        body = _read(entry.body)
        if Role.HEADTEACHER in (body.get("from"), body.get("to")):
            head_known = True
            roles = {person: role for person, role in roles.items() if role != Role.HEADTEACHER}
        roles[int(body["person"])] = str(body["to"])
    return roles if head_known else None


def _read(body: str) -> dict[str, Any]:
    read = json.loads(body)
    return read if isinstance(read, dict) else {}
