"""Giving and taking the roles that decide. Nobody becomes the headteacher here without the present one knowing first.

A change that touches the headteacher's role, or makes somebody a deputy, is written down, mailed to the present
headteacher and waits 24 hours from that e-mail on, in which it can be stopped. Only the very first headteacher is appointed at once,
because there is nobody to ask. All of it stands in the ledger.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger, recovery
from approvals.tables import LedgerEntry
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.mail.order import order_notice
from gatekeeper.people.sessions import end_all_sessions
from gatekeeper.people.staff import Role, RoleChange, Staff, record
from gatekeeper.workflow.handover import handing_over
from gatekeeper.workflow.told import asked_of, went_out

WAIT: Final = timedelta(hours=24)
#: the longer wait where the e-mail about it cannot be delivered: a mailbox that is closed must not block it for ever
UNTOLD_WAIT: Final = timedelta(days=7)
#: whoever has one of these may be asked to decide
DECIDING: Final = frozenset({Role.HEADTEACHER, Role.DEPUTY})


def must_wait(session: Session, *, present: Role, wanted: Role) -> bool:
    """Whether the change takes effect only after the present headteacher could have stopped it."""
    if present is wanted:
        return False
    touches = Role.HEADTEACHER in (present, wanted) or wanted in DECIDING
    return touches and not _never_had_a_head(session)


def _never_had_a_head(session: Session) -> bool:
    # the ledger knows it for ever; a vacant seat is not a first one, or emptying it would be a way around the wait
    return session.scalar(select(LedgerEntry.seq).where(LedgerEntry.kind.like("role.%")).limit(1)) is None and (
        session.scalar(select(Staff.id).where(Staff.role == Role.HEADTEACHER).limit(1)) is None
    )


def appoint(session: Session, staff: Staff, role: Role, *, by: int | None, now: datetime) -> None:
    """Give a role at once, and hand over what its former holder was asked. The caller has asked `must_wait`."""
    with handing_over(session, now=now):
        _appoint(session, staff, role, by=by, now=now)


def _appoint(session: Session, staff: Staff, role: Role, *, by: int | None, now: datetime) -> None:
    before = Role(staff.role)
    if role is Role.HEADTEACHER:
        for former in session.scalars(select(Staff).where(Staff.role == Role.HEADTEACHER, Staff.id != staff.id)):
            former.role = Role.AUTHOR
            recovery.stop_for(session, former.id, by_person=by, now=now)
            end_all_sessions(session, former.id, now=now)
            record(session, at=now, staff_id=by, action="role.left", subject=f"staff:{former.id}")
    staff.role = role
    recovery.stop_for(session, staff.id, by_person=by, now=now)  # it was asked for who they were
    end_all_sessions(session, staff.id, now=now)
    detail = {"from": str(before), "to": str(role)}
    record(session, at=now, staff_id=by, action="role.changed", subject=f"staff:{staff.id}", detail=detail)
    if DECIDING & {before, role}:
        ledger.append(session, at=now, kind="role.changed", body={"person": staff.id, "by": by, **detail})


def write_new_decider(session: Session, staff: Staff, *, by: int | None, now: datetime) -> None:
    """Put an account that was created with a deciding role into the ledger.

    Raises:
        Conflict: there is or was a headteacher, so that role is only given by a change that waits.
    """
    role = Role(staff.role)
    if role is Role.HEADTEACHER:
        others = session.scalar(select(Staff.id).where(Staff.role == Role.HEADTEACHER, Staff.id != staff.id).limit(1))
        written = session.scalar(select(LedgerEntry.seq).where(LedgerEntry.kind.like("role.%")).limit(1))
        if others is not None or written is not None:
            raise Conflict(
                "There is a headteacher already. Add the person as an author, then change the role on the Staff page: "
                "the present headteacher is told and it takes effect after 24 hours."
            )
    if role in DECIDING:
        body = {"person": staff.id, "by": by, "from": "", "to": str(role)}
        ledger.append(session, at=now, kind="role.changed", body=body)


def ask_for_change(session: Session, staff: Staff, role: Role, *, reason: str, by: int, now: datetime) -> RoleChange:
    """Write down a change that waits, and tell the present headteacher.

    Raises:
        BadInput: no reason was given.
        Conflict: another such change is already waiting.
    """
    if len(reason.strip()) < 10:  # noqa: PLR2004 - shorter is no reason
        sentence = "Please say in a sentence why; the headteacher reads it."
        raise BadInput(sentence, fields={"reason": sentence})
    ledger.hold(session)
    if waiting_changes(session):
        raise Conflict("Another change of the deciding roles is already waiting. Stop it first, or let it take effect.")
    change = RoleChange(
        staff_id=staff.id,
        new_role=role,
        reason=reason.strip(),
        requested_by=by,
        requested_at=now,
        effective_at=_not_before(session, now) + WAIT,
    )
    session.add(change)
    session.flush()
    for told in _to_be_told(session):
        order_notice(
            session,
            "role_change",
            staff_id=told.id,
            subject=f"role_change:{change.id}",
            now=now,
            context={"change_id": change.id},
        )
    body = {"change": change.id, "person": staff.id, "from": str(staff.role), "to": str(role), "by": by}
    ledger.append(session, at=now, kind="role.asked", body=body)
    record(session, at=now, staff_id=by, action="role.asked", subject=f"staff:{staff.id}", detail={"to": str(role)})
    return change


def _not_before(session: Session, now: datetime) -> datetime:
    """Never earlier than what is written already: a clock that was set back for a while must not shorten the wait."""
    newest = session.scalar(select(LedgerEntry.at).order_by(LedgerEntry.seq.desc()).limit(1))
    return max(now, newest) if newest else now


def _to_be_told(session: Session) -> Sequence[Staff]:
    heads = session.scalars(select(Staff).where(Staff.role == Role.HEADTEACHER, Staff.active)).all()
    return heads or session.scalars(select(Staff).where(Staff.role == Role.ADMINISTRATOR, Staff.active)).all()


def waiting_changes(session: Session) -> Sequence[RoleChange]:
    """Changes that have been asked for and are neither in effect nor stopped."""
    return session.scalars(
        select(RoleChange)
        .where(RoleChange.applied_at.is_(None), RoleChange.stopped_at.is_(None))
        .order_by(RoleChange.id)
    ).all()


def stop_change(session: Session, change_id: int, *, by: Staff, now: datetime) -> None:
    """Stop a waiting change: the present headteacher may, and whoever asked for it.

    Raises:
        NotFound: there is no such change.
        NotAllowed: this person may not stop it.
        Conflict: it is in effect, or was stopped already.
    """
    ledger.hold(session)
    change = session.get(RoleChange, change_id)
    if change is None:
        raise NotFound("There is no such change.")
    if by.role != Role.HEADTEACHER and by.id != change.requested_by:
        raise NotAllowed("Only the headteacher, or whoever asked for it, can stop this change.")
    if change.applied_at is not None or change.stopped_at is not None:
        raise Conflict("This change is already settled.")
    change.stopped_at, change.stopped_by = now, by.id
    ledger.append(session, at=now, kind="role.stopped", body={"change": change.id, "by": by.id})
    record(session, at=now, staff_id=by.id, action="role.stopped", subject=f"staff:{change.staff_id}")


def apply_due_role_changes(session: Session, now: datetime) -> int:
    """Bring into effect what has waited long enough; says how many. A worker's timer calls this; twice does no harm."""
    if not _due(session, now):
        return 0
    with handing_over(session, now=now):
        due = _due(session, now)  # asked again under the lock: it may have been stopped in this very instant
        for change in due:
            staff = session.get_one(Staff, change.staff_id)
            if not staff.active:
                change.stopped_at = now
                ledger.append(session, at=now, kind="role.stopped", body={"change": change.id, "by": None})
                continue
            _appoint(session, staff, Role(change.new_role), by=change.requested_by, now=now)
            change.applied_at = now
    return len(due)


def _due(session: Session, now: datetime) -> list[RoleChange]:
    return [
        change for change in waiting_changes(session) if change.effective_at <= now and _is_known(session, change, now)
    ]


def _is_known(session: Session, change: RoleChange, now: datetime) -> bool:
    """Whether whoever could stop it had a day to read of it, or a week where the e-mail could not be delivered."""
    subject = f"role_change:{change.id}"
    told = went_out(
        session, "role_change", subject=subject, staff_ids=asked_of(session, "role_change", subject=subject)
    )
    return (told is not None and told + WAIT <= now) or change.effective_at + UNTOLD_WAIT - WAIT <= now
