"""Appointments: the headteacher names who decides for them, from one moment to another, and says why.

This room keeps the time, the reason and the trace in the ledger; who has which role the caller asks, when the
appointment is made and again at every decision. Appointments never overlap, are never prolonged and, once ended, never
stand again: not even when somebody sets the clock back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from approvals.columns import utc_text
from approvals.errors import AppointmentRefused, NotTheApprover
from approvals.statements import tidy
from approvals.tables import DeputyAppointment, LedgerEntry
from approvals.wall_clock import when

LONGEST: Final = timedelta(days=90, hours=1)
"""Ninety days on the wall, across a night in which the clocks go back."""

SHORTEST_REASON: Final = 10


class Ending(StrEnum):
    """How an appointment came to its end."""

    BY_HAND = "by hand"
    TIME = "time"
    ROLE = "role"  # one of the two no longer is what they were, or their account is closed


def name(
    session: Session,
    *,
    head_id: int,
    deputy_id: int,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    proof_method: str,
    now: datetime,
) -> DeputyAppointment:
    """Write an appointment down. The caller has asked for the second proof, and who has which role.

    Raises:
        AppointmentRefused: it cannot stand like this; says why.
    """
    ledger.hold(session)
    reason = tidy(reason)
    check(session, head_id=head_id, deputy_id=deputy_id, starts_at=starts_at, ends_at=ends_at, reason=reason, now=now)
    hashed = ledger.salted_hash(reason)
    appointment_id = uuid4().hex
    entry = ledger.append(
        session,
        at=now,
        kind="deputy.named",
        body={
            "appointment": appointment_id,
            "head": head_id,
            "deputy": deputy_id,
            "from": utc_text(starts_at),
            "to": utc_text(ends_at),
            "reason": hashed.digest,
            "proof": proof_method,
        },
    )
    appointment = DeputyAppointment(
        id=appointment_id,
        head_id=head_id,
        deputy_id=deputy_id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        reason_salt=hashed.salt,
        proof_method=proof_method,
        named_at=now,
        ledger_seq=entry.seq,
    )
    session.add(appointment)
    session.flush()
    return appointment


def end(session: Session, appointment: DeputyAppointment, *, by_person: int | None, how: Ending, now: datetime) -> bool:
    """End an appointment for good; says whether it was this call that did.

    Args:
        session: the caller's transaction.
        appointment: which.
        by_person: who ended it; None where the program found that it can no longer stand.
        how: what ended it.
        now: the moment.
    """
    ledger.hold(session)
    session.refresh(appointment)
    if appointment.ended_at is not None:
        return False
    appointment.ended_at, appointment.ended_by = now, by_person
    body = {"appointment": appointment.id, "by": by_person, "how": str(how)}
    ledger.append(session, at=now, kind="deputy.ended", body=body)
    return True


def in_force(session: Session, now: datetime) -> DeputyAppointment | None:
    """The appointment whose time it is, if there is one.

    The ledger may know a later moment than the clock, when that was set back; then the later one counts for the end.
    """
    latest = session.scalar(select(LedgerEntry.at).order_by(LedgerEntry.seq.desc()).limit(1))
    until = max(now, latest) if latest else now
    return session.scalars(
        select(DeputyAppointment)
        .where(
            DeputyAppointment.ended_at.is_(None),
            DeputyAppointment.named_at <= now,
            DeputyAppointment.starts_at <= now,
            DeputyAppointment.ends_at > until,
        )
        .order_by(DeputyAppointment.ledger_seq)
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()


def check_in_force(session: Session, appointment_id: str, *, person_id: int, now: datetime) -> None:
    """Refuse a decision under an appointment that is not this person's, or not in force at this moment.

    Raises:
        NotTheApprover: it is not.
    """
    present = in_force(session, now)
    if present is None or present.id != appointment_id or present.deputy_id != person_id:
        raise NotTheApprover


def standing(session: Session, now: datetime) -> Sequence[DeputyAppointment]:
    """Every appointment that is in force or still to come, the nearest first."""
    return session.scalars(
        select(DeputyAppointment)
        .where(DeputyAppointment.ended_at.is_(None), DeputyAppointment.ends_at > now)
        .order_by(DeputyAppointment.starts_at)
        .execution_options(populate_existing=True)
    ).all()


def over(session: Session, now: datetime) -> Sequence[DeputyAppointment]:
    """Every appointment whose time is over and that nobody has closed yet."""
    return session.scalars(
        select(DeputyAppointment)
        .where(DeputyAppointment.ended_at.is_(None), DeputyAppointment.ends_at <= now)
        .order_by(DeputyAppointment.ends_at)
        .execution_options(populate_existing=True)
    ).all()


def check(
    session: Session,
    *,
    head_id: int,
    deputy_id: int,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    now: datetime,
) -> None:
    """Refuse an appointment that cannot stand, without writing it.

    Raises:
        AppointmentRefused: says why, and what of it has to be different.
    """
    if head_id == deputy_id:
        raise AppointmentRefused("You cannot name yourself.", field="deputy")
    if starts_at < now:
        raise AppointmentRefused("The beginning lies in the past. An appointment counts from now on.", field="from")
    if ends_at <= starts_at:
        raise AppointmentRefused("The end has to come after the beginning.", field="to")
    if ends_at - starts_at > LONGEST:
        raise AppointmentRefused("An appointment lasts at most 90 days. Name the deputy again after that.", field="to")
    other = next((one for one in standing(session, now) if one.starts_at < ends_at and starts_at < one.ends_at), None)
    if other is not None:
        raise AppointmentRefused(
            f"There is an appointment from {when(other.starts_at)} to {when(other.ends_at)} already, and two may not "
            "overlap. End that one first, or choose another time.",
            field="from",
        )
    if sum(sign.isalnum() for sign in tidy(reason)) < SHORTEST_REASON:
        raise AppointmentRefused("Please say in a sentence why somebody else decides.", field="reason")
