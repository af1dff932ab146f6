"""Warns by e-mail before something in a case is due, and when it is over. The e-mail says the case's number and no more.

Each warning goes once; one that was missed, because nothing ran, is not made up for once a later one is due.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.wall_clock import when
from gatekeeper.cases.clocks import REMOVE, WARNINGS, reached
from gatekeeper.cases.model import Case, CaseClock, CaseKind, CaseState
from gatekeeper.workflow import case_route
from gatekeeper.workflow.cases import subject_of, write
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services


def run(services: Services) -> int:
    """Send every warning whose moment has come. Says of how many clocks it warned."""
    now = services.clock.now()
    with services.db.read() as session:  # most times there is nothing, and then no writer's place is taken
        due = [clock.id for clock in _running(session, now=now) if reached(clock.due_at, now) > clock.told]
    if not due:
        return 0
    with services.step() as session:
        return sum(_warn(session, clock_id, now=now) for clock_id in due)


def _running(session: Session, *, now: datetime) -> Sequence[CaseClock]:
    return session.scalars(
        select(CaseClock)
        .join(Case, Case.id == CaseClock.case_id)
        .where(
            CaseClock.met_at.is_(None),
            CaseClock.due_at <= now + WARNINGS[0],
            CaseClock.told < len(WARNINGS),
            Case.state != CaseState.CLOSED,
        )
        .order_by(CaseClock.id)
    ).all()


def _warn(session: Session, clock_id: int, *, now: datetime) -> bool:
    clock = session.get_one(CaseClock, clock_id, with_for_update=True, populate_existing=True)
    stage = reached(clock.due_at, now)
    case = session.get_one(Case, clock.case_id)
    if clock.met_at is not None or stage <= clock.told or case.state == CaseState.CLOSED:
        return False  # somebody was quicker
    clock.told = stage
    over = stage == len(WARNINGS)
    people = {case.owner_id, *case_route.team(session, CaseKind(case.kind), about_id=case.about_id, now=now)}
    if clock.name == REMOVE:
        people.add(case.about_id)
    elif case.kind == CaseKind.ENQUIRY:
        people.add(case.opened_by)
    for staff_id in sorted(one for one in people if one is not None):
        tell(
            session,
            "case_due",
            staff_id=staff_id,
            subject=f"{subject_of(case.id)}:{clock.name}:{stage}",
            context={"case_id": case.id, "kind": case.kind, "due": when(clock.due_at), "over": over},
            now=now,
        )
    write(session, case, "warned", by=None, now=now, name=clock.name, over=over)
    return True
