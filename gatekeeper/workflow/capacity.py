"""In which capacity somebody decides: as the headteacher, under an appointment, or in the head's place about their post.

The headteacher's own decisions say nothing; every other one says, wherever it is shown, why this person could make it.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from approvals.tables import ApprovalRequest, Decision, DeputyAppointment
from approvals.wall_clock import when
from gatekeeper.people.staff import Role, Staff
from gatekeeper.workflow.approver_right import role_at
from gatekeeper.workflow.deciders import deciders


def capacity_of(session: Session, request: ApprovalRequest, person_id: int, *, now: datetime) -> str:
    """What the decision page says to the person who looks at it; empty for the headteacher."""
    who = deciders(session, now=now)
    appointment_id = who.appointment_of(person_id, author_id=request.author_id)
    appointment = session.get(DeputyAppointment, appointment_id) if appointment_id else None
    if appointment is not None:
        return f"You decide for {_name(session, appointment.head_id)} {_until_and_why(appointment)}"
    member = session.get(Staff, person_id)
    if member is not None and member.role == Role.DEPUTY:
        return f"You decide because {_name(session, request.author_id)}, the headteacher, wrote this post."
    return ""


def capacity_words(session: Session, decision: Decision) -> str:
    """Why this person could decide, for whoever reads the decision; empty where it was the headteacher."""
    decider = _name(session, decision.approver_id)
    if decision.appointment_id is not None:
        appointment = session.get_one(DeputyAppointment, decision.appointment_id)
        return (
            f"{decider} decided as the deputy of {_name(session, appointment.head_id)}, appointed from "
            f"{when(appointment.starts_at)} to {when(appointment.ends_at)}{_why(appointment)}."
        )
    if _was_in_the_heads_place(session, decision):
        return f"{decider} decided in the place of the headteacher, who wrote this post."
    return ""


def _was_in_the_heads_place(session: Session, decision: Decision) -> bool:
    """Whether it was the standing rule: told from the ledger, because roles may have changed since."""
    asked = session.get_one(ApprovalRequest, decision.request_id)
    return role_at(session, asked.author_id, decision.ledger_seq) == Role.HEADTEACHER and (
        role_at(session, decision.approver_id, decision.ledger_seq) == Role.DEPUTY
    )


def _until_and_why(appointment: DeputyAppointment) -> str:
    return f"until {when(appointment.ends_at)}{_why(appointment)}."


def _why(appointment: DeputyAppointment) -> str:
    """The head's reason in their own words; nothing once it was erased."""
    reason = (appointment.reason or "").strip().rstrip(".")
    return f", because: “{reason}”" if reason else ""


def _name(session: Session, staff_id: int) -> str:
    member = session.get(Staff, staff_id)
    return member.name if member else "somebody who has left"
