"""Keeps the e-mails that ask for a decision from becoming a flood, without delaying what is urgent.

The rule: while three questions that were mailed to a person wait unopened, a further one is held back. What was held
back goes together in one e-mail, "more posts wait", at most once an hour. A post due within five hours is never held
back: it would have less than four left when its hour is over. Opened means that the second proof was given; a link that
a program opened counts for nothing. The inbox shows every question from the first moment on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from approvals.tables import ApprovalRequest, ApprovalView, RequestStatus
from gatekeeper.mail.model import Notice
from gatekeeper.mail.order import order_once
from gatekeeper.workflow.services import Services

ASKING: Final = "approval_request"
MORE: Final = "more_wait"
ENOUGH: Final = 3  # questions that wait unopened; one e-mail more would change nothing
EVERY: Final = timedelta(hours=1)
URGENT: Final = timedelta(hours=4)
HELD: Final = "Held back for a moment: it goes together with others."
TOGETHER: Final = "It went together with others, in one e-mail."
SETTLED: Final = "Not sent: the question was settled before."


def must_wait(session: Session, request: ApprovalRequest, person_id: int, *, now: datetime) -> bool:
    """Whether the e-mail about this question is held back, to go together with others."""
    if request.expires_at - now < URGENT + EVERY:
        return False
    others = session.scalars(
        select(ApprovalRequest.id).where(
            ApprovalRequest.approver_id == person_id,
            ApprovalRequest.status == RequestStatus.OPEN,
            ApprovalRequest.expires_at > now,
            ApprovalRequest.id != request.id,
        )
    ).all()
    opened = session.scalars(
        select(ApprovalView.request_id).where(ApprovalView.person_id == person_id, ApprovalView.request_id.in_(others))
    ).all()
    unopened = [f"request:{request_id}" for request_id in set(others) - set(opened)]
    mailed = select(func.count(Notice.id)).where(
        Notice.kind == ASKING,
        Notice.staff_id == person_id,
        Notice.subject.in_(unopened),
        Notice.sent_at.is_not(None),
        Notice.failed_at.is_(None),
        Notice.problem == "",
    )
    return (session.scalar(mailed) or 0) >= ENOUGH


def run(services: Services) -> int:
    """Send what was held back for as long as it should be. Says how many e-mails that were."""
    now = services.clock.now()
    with services.db.read() as session:  # most times there is nothing, and then no writer's place is taken
        ready = _ready(session, now=now)
    if not ready:
        return 0
    with services.step() as session:
        return sum(_send_together(session, person_id, now=now) for person_id in _ready(session, now=now))


def _held(session: Session) -> Sequence[Notice]:
    return session.scalars(
        select(Notice)
        .where(Notice.kind == ASKING, Notice.sent_at.is_(None), Notice.problem == HELD)
        .order_by(Notice.id)
        .execution_options(populate_existing=True)
    ).all()


def _ready(session: Session, *, now: datetime) -> list[int]:
    """The people who have something held back, and to whom no such e-mail went within the last hour."""
    people = sorted({notice.staff_id for notice in _held(session)})
    recent = set(
        session.scalars(
            select(Notice.staff_id).where(
                Notice.kind == MORE, Notice.staff_id.in_(people), Notice.created_at > now - EVERY
            )
        )
    )
    return [person_id for person_id in people if person_id not in recent]


def _send_together(session: Session, person_id: int, *, now: datetime) -> bool:
    mine = [notice for notice in _held(session) if notice.staff_id == person_id]
    still: list[str] = []
    for notice in mine:
        request = session.get(ApprovalRequest, notice.context["request_id"], populate_existing=True)
        waits = request is not None and request.status == RequestStatus.OPEN and request.expires_at > now
        notice.sent_at, notice.problem = now, TOGETHER if waits else SETTLED
        if waits:
            still.append(notice.context["request_id"])
    if not still:
        return False
    order_once(session, MORE, staff_id=person_id, subject=f"{MORE}:{mine[0].id}", context={"requests": still}, now=now)
    return True
