"""Letting somebody who lost all their proofs choose a new one: asked by an administrator, after a day of waiting.

Everybody who could mind hears of it at once: the person, the headteachers and the other administrators. The person
themselves and any headteacher can stop it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import recovery
from approvals.errors import RecoveryRefused
from approvals.tables import ProofRecovery
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.staff import find
from gatekeeper.workflow.told import went_out


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One recovery that stands, for a page."""

    asked: ProofRecovery
    whose: Staff
    asker: Staff
    usable: bool
    usable_from: datetime | None  # None while the e-mail about it has not reached the person


def ask(services: Services, staff_id: int, *, reason: str, by: int) -> ProofRecovery:
    """Ask it for somebody, with a reason that they and the headteacher read.

    Raises:
        BadInput: tied to `reason`, where it cannot be asked.
        Conflict: the account is closed.
    """
    try:
        with services.step() as session:
            now = services.clock.now()
            staff = find(session, staff_id)
            if not staff.active:
                raise Conflict("The account is closed. Open it again first.")
            asked = recovery.ask(session, person_id=staff_id, asked_by=by, reason=reason, now=now)
            record(session, at=now, staff_id=by, action="recovery.asked", subject=f"staff:{staff_id}")
            _tell(session, "recovery_asked", asked, but=by, now=now)
    except RecoveryRefused as refused:
        raise BadInput(str(refused), fields={"recovery_reason": str(refused)}) from refused
    return asked


def stop(services: Services, recovery_id: str, *, by: Staff) -> None:
    """Stop it: the person themselves, any headteacher, and whoever asked.

    Raises:
        NotFound: there is none.
        NotAllowed: this person may not.
        Conflict: it is settled already.
    """
    with services.step() as session:
        now = services.clock.now()
        asked = session.get(ProofRecovery, recovery_id)
        if asked is None:
            raise NotFound("There is nothing of the kind to stop.")
        if by.role != Role.HEADTEACHER and by.id not in (asked.person_id, asked.asked_by):
            raise NotAllowed("Only the person themselves, the headteacher, or whoever asked can stop this.")
        try:
            recovery.stop(session, asked, by_person=by.id, now=now)
        except RecoveryRefused as refused:
            raise Conflict(str(refused)) from refused
        record(session, at=now, staff_id=by.id, action="recovery.stopped", subject=f"staff:{asked.person_id}")
        _tell(session, "recovery_stopped", asked, but=by.id, now=now)


def usable_from(session: Session, asked: ProofRecovery) -> datetime | None:
    """When its wait is over: a day after the e-mail about it went out to the person. None while it has not.

    Otherwise whoever runs the mail server, or puts the e-mail away, would let the day go by unseen.
    """
    told = went_out(session, "recovery_asked", subject=f"recovery:{asked.id}", staff_ids=[asked.person_id])
    return max(asked.effective_at, told + recovery.COOLING_OFF) if told else None


def is_usable(session: Session, asked: ProofRecovery | None, *, now: datetime) -> bool:
    """Whether the person knew of it for a day, and its week is not over."""
    if asked is None or not recovery.is_usable(asked, now=now):
        return False
    since = usable_from(session, asked)
    return since is not None and since <= now


def waiting_for_eyes_of(session: Session, person: Staff, *, now: datetime) -> list[Waiting]:
    """What stands that this person may see: their own, what they asked, and for a headteacher all of it."""
    return [
        Waiting(
            asked=asked,
            whose=session.get_one(Staff, asked.person_id),
            asker=session.get_one(Staff, asked.asked_by),
            usable=is_usable(session, asked, now=now),
            usable_from=usable_from(session, asked),
        )
        for asked in recovery.all_waiting(session)
        if asked.lapses_at > now and (person.role == Role.HEADTEACHER or person.id in (asked.person_id, asked.asked_by))
    ]


def close_lapsed(services: Services) -> int:
    """End those whose week is over. A timer calls this; most times there is nothing to do."""
    now = services.clock.now()
    with services.db.read() as session:
        due = any(asked.lapses_at <= now for asked in recovery.all_waiting(session))
    if not due:
        return 0
    with services.step() as session:
        return recovery.close_lapsed(session, now)


def _tell(session: Session, kind: str, asked: ProofRecovery, *, but: int, now: datetime) -> None:
    for staff in _to_be_told(session, asked):
        if staff.id != but:
            context = {"whose": session.get_one(Staff, asked.person_id).name, "yours": staff.id == asked.person_id}
            tell(session, kind, staff_id=staff.id, subject=f"recovery:{asked.id}", context=context, now=now)


def _to_be_told(session: Session, asked: ProofRecovery) -> Sequence[Staff]:
    concerned = (Staff.id == asked.person_id) | Staff.role.in_((Role.HEADTEACHER, Role.ADMINISTRATOR))
    return session.scalars(select(Staff).where(Staff.active, concerned).order_by(Staff.id)).all()
