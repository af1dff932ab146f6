"""Naming a deputy: the headteacher says who decides for them, from when, until when and why; and can end it.

Only whoever has the headteacher's role names, so no deputy names a deputy; and only a deputy headteacher with an open
account can be named. Both are asked again at every decision. Questions that are open go over in the same transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import deputies, passkeys, proofs
from approvals.deputies import Ending
from approvals.errors import AppointmentRefused
from approvals.tables import DeputyAppointment
from approvals.wall_clock import when
from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.workflow import due
from gatekeeper.workflow.due import TypedDue
from gatekeeper.workflow.handover import handing_over, tell_ended
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services

LONGEST: Final = timedelta(days=90)  # on the wall, so that a night in which the clocks change shortens nothing
_AT_ONCE: Final = timedelta(minutes=10)  # a beginning typed as "now" lies a little back when the form is sent
_PAST_SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True)
class Naming:
    """What the form says. An empty beginning means at once."""

    deputy_id: int | None
    starts: TypedDue
    ends: TypedDue
    reason: str


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Somebody who can be named, and whether they have a second proof to decide with."""

    id: int
    name: str
    can_prove: bool


@dataclass(frozen=True, kw_only=True)
class AppointmentShown:
    """One appointment as the page shows it. `state`: now, coming, over or ended."""

    id: str
    head: str
    deputy: str
    deputy_id: int
    starts_at: datetime
    ends_at: datetime
    reason: str
    state: str
    ended_at: datetime | None
    ended_by: str


@dataclass(frozen=True, kw_only=True)
class DeputiesPage:
    """What stands, what was, and who could be named."""

    standing: tuple[AppointmentShown, ...]
    past: tuple[AppointmentShown, ...]
    candidates: tuple[Candidate, ...]


def check(services: Services, naming: Naming, *, by: int) -> None:
    """Say what is wrong with the form before anybody is asked for a second proof.

    Raises:
        NotAllowed: they are not the headteacher.
        BadInput: a field cannot be used.
    """
    now = services.clock.now()
    with services.db.read() as session:
        _check_head(session, by, now=now)
        deputy_id, starts_at, ends_at = _read(session, naming, now=now)
        try:
            deputies.check(
                session,
                head_id=by,
                deputy_id=deputy_id,
                starts_at=starts_at,
                ends_at=ends_at,
                reason=naming.reason,
                now=now,
            )
        except AppointmentRefused as refused:
            raise _at_field(refused) from None


def name_deputy(services: Services, naming: Naming, *, by: int, proof_method: str) -> str:
    """Write the appointment down and tell both; returns its id. The caller has asked for the second proof.

    Raises:
        NotAllowed: they are not, or no longer, the headteacher.
        BadInput: a field cannot be used.
    """
    with services.step() as session:
        now = services.clock.now()
        with handing_over(session, now=now):
            _check_head(session, by, now=now)
            deputy_id, starts_at, ends_at = _read(session, naming, now=now)
            try:
                appointment = deputies.name(
                    session,
                    head_id=by,
                    deputy_id=deputy_id,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    reason=naming.reason,
                    proof_method=proof_method,
                    now=now,
                )
            except AppointmentRefused as refused:
                raise _at_field(refused) from None
            record(session, at=now, staff_id=by, action="deputy.named", subject=f"staff:{deputy_id}")
            _tell_named(session, appointment, now=now)
    return appointment.id


def end_early(services: Services, appointment_id: str, *, by: int) -> None:
    """End an appointment now, or one that has not begun. It takes a right away, so it needs no second proof.

    Raises:
        NotAllowed: they are not the headteacher.
        NotFound: there is no such appointment.
        Conflict: it is over already.
    """
    with services.step() as session:
        now = services.clock.now()
        with handing_over(session, now=now):
            _check_head(session, by, now=now)
            appointment = session.get(DeputyAppointment, appointment_id)
            if appointment is None:
                raise NotFound("There is no such appointment.")
            over = appointment.ends_at <= now
            if over or not deputies.end(session, appointment, by_person=by, how=Ending.BY_HAND, now=now):
                raise Conflict("This appointment is over already.")
            record(session, at=now, staff_id=by, action="deputy.ended", subject=f"staff:{appointment.deputy_id}")
            tell_ended(session, appointment, now=now)


def page_for(session: Session, by: Staff, *, now: datetime) -> DeputiesPage:
    """The page of the headteacher, or of a deputy, who sees the appointments that name them."""
    names = {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}
    mine = select(DeputyAppointment).order_by(DeputyAppointment.starts_at.desc())
    if by.role != Role.HEADTEACHER:
        mine = mine.where(DeputyAppointment.deputy_id == by.id)
    shown = [_shown(one, names, now=now) for one in session.scalars(mine)]
    return DeputiesPage(
        standing=tuple(one for one in reversed(shown) if one.state in ("now", "coming")),
        past=tuple(one for one in shown if one.state not in ("now", "coming"))[:_PAST_SHOWN],
        candidates=candidates(session, now=now) if by.role == Role.HEADTEACHER else (),
    )


def candidates(session: Session, *, now: datetime) -> tuple[Candidate, ...]:
    """Who can be named: the deputy headteachers with an open account."""
    today = london(now).date()
    found = session.scalars(select(Staff).where(Staff.role == Role.DEPUTY).order_by(Staff.name))
    return tuple(
        Candidate(
            id=one.id,
            name=one.name,
            can_prove=proofs.has_pin(session, one.id) or bool(passkeys.standing(session, one.id)),
        )
        for one in found
        if one.may_sign_in(today)
    )


def _check_head(session: Session, staff_id: int, *, now: datetime) -> None:
    member = session.get(Staff, staff_id, populate_existing=True)
    if member is None or member.role != Role.HEADTEACHER or not member.may_sign_in(london(now).date()):
        raise NotAllowed("Only the headteacher names a deputy, and ends what they named.")


def _read(session: Session, naming: Naming, *, now: datetime) -> tuple[int, datetime, datetime]:
    """Who, from when and until when, in UTC.

    Raises:
        BadInput: something is missing or cannot be read; every field that is wrong is named.
    """
    wrong: dict[str, str] = {}
    if naming.deputy_id not in {one.id for one in candidates(session, now=now)}:
        wrong["deputy"] = "Please choose a deputy headteacher from the list."
    starts_at, ends_at = now, now
    if naming.starts.stored:
        starts_at = _moment(naming.starts, "from", wrong) or now
    ends_at = _moment(naming.ends, "to", wrong) or now
    if now - _AT_ONCE <= starts_at < now:
        starts_at = now
    wall = london(ends_at).replace(tzinfo=None) - london(starts_at).replace(tzinfo=None)
    if not wrong and wall > LONGEST:
        wrong["to_date"] = "An appointment lasts at most 90 days. Name the deputy again after that."
    if wrong or naming.deputy_id is None:
        raise BadInput("Please look at the marked fields.", fields=wrong)
    return naming.deputy_id, starts_at, ends_at


def _moment(typed: TypedDue, which: str, wrong: dict[str, str]) -> datetime | None:
    try:
        return due.resolve(typed)
    except BadInput as refused:
        sentences = {"due_date": f"{which}_date", "due_time": f"{which}_time"}
        for field, sentence in refused.fields.items():
            wrong[sentences[field]] = _about_time(sentence)
    except OverflowError:
        wrong[f"{which}_date"] = "This day lies too far away."
    return None


def _about_time(sentence: str) -> str:
    """The sentences of the post form speak of publishing."""
    if sentence.startswith("Choose the day"):
        return "Choose the day."
    return "Choose the time." if sentence.startswith("Choose the time") else sentence


_FIELDS: Final[Mapping[str, str]] = {"from": "from_date", "to": "to_date", "deputy": "deputy", "reason": "reason"}


def _at_field(refused: AppointmentRefused) -> BadInput:
    return BadInput(str(refused), fields={_FIELDS[refused.field]: str(refused)})


def _tell_named(session: Session, appointment: DeputyAppointment, *, now: datetime) -> None:
    """The reason stays out of the e-mails: it may speak of somebody's health."""
    people = {one: session.get_one(Staff, one) for one in (appointment.deputy_id, appointment.head_id)}
    for staff_id in people:
        tell(
            session,
            "deputy_named",
            staff_id=staff_id,
            subject=f"appointment:{appointment.id}",
            context={
                "to_head": staff_id == appointment.head_id,
                "deputy": people[appointment.deputy_id].name,
                "head": people[appointment.head_id].name,
                "starts": when(appointment.starts_at),
                "ends": when(appointment.ends_at),
            },
            now=now,
        )


def _shown(one: DeputyAppointment, names: Mapping[int, str], *, now: datetime) -> AppointmentShown:
    state = "coming" if now < one.starts_at else "now"
    if one.ends_at <= now:
        state = "over"
    if one.ended_at is not None and one.ended_at < one.ends_at:
        state = "ended"
    return AppointmentShown(
        id=one.id,
        head=names.get(one.head_id, ""),
        deputy=names.get(one.deputy_id, ""),
        deputy_id=one.deputy_id,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        reason=one.reason or "",
        state=state,
        ended_at=one.ended_at,
        ended_by=names.get(one.ended_by or 0, ""),
    )
