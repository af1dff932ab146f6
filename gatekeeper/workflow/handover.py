"""Hands open questions over: what was asked of somebody who may no longer decide goes to whoever may decide now.

When an appointment begins, what the headteacher was asked goes to the deputy; when it ends, back to the headteacher.
Appointments end by themselves, when their time is over or one of the two is no longer what they were.

The old question is closed, its link opens nothing any more, and the post is on its way to the headteacher again, all
in the transaction that changes who decides. Its author has nothing to do and is not written to. Where nobody may
decide, the post stays on its way and goes on as soon as somebody may.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from approvals import deputies, ledger, requests
from approvals.deputies import Ending
from approvals.tables import ApprovalRequest, ApprovalView, DeputyAppointment, RequestStatus
from approvals.wall_clock import when
from gatekeeper import jobs
from gatekeeper.cases.model import Case, CaseReply
from gatekeeper.errors import Conflict
from gatekeeper.people.staff import Staff, record
from gatekeeper.policy.approvers import Appointed, NobodyMayDecide, stands
from gatekeeper.posts.model import Post
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.asked_about import head_only_of, post_in
from gatekeeper.workflow.case_reply import lock_replies_asked_about, open_question
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.deciders import Deciders, colleagues, deciders
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services

#: whoever holds the old link may read it, so it names nobody
PASSED_ON: Final = "Somebody else decides now, and is asked instead."


@contextmanager
def handing_over(session: Session, *, now: datetime) -> Iterator[None]:
    """Stands around every change of who may decide; what it makes stale is handed over in the same transaction.

    Every post that is asked about is locked before the ledger, as every edit does, and so before the change itself,
    which writes into the ledger. A question that is opened in between is found by the next round of `run`.
    """
    posts = _lock_posts_asked_about(session)
    replies = lock_replies_asked_about(session)
    ledger.hold(session)
    yield
    session.flush()
    end_appointments(session, now=now)
    who = deciders(session, now=now)
    for post in posts:
        _hand_over(session, post, who, now=now)
    for case, reply in replies:
        _hand_reply_over(session, case, reply, who, now=now)


def run(services: Services) -> None:
    """Hand over what no step could: a last day is over, an appointment begins or ends, and nobody did anything."""
    now = services.clock.now()
    with services.db.read() as session:  # most times there is nothing, and then no writer's place is taken
        who = deciders(session, now=now)
        stale = bool(_ending(session, now=now)) or any(
            not _stays(session, request, who, now=now) for request in session.scalars(_open_questions()).all()
        )
    if stale:
        with services.step() as session, handing_over(session, now=now):
            pass


def end_appointments(session: Session, *, now: datetime) -> None:
    """End for good what is over: no clock set back and no role given again brings it to life."""
    for appointment, how in _ending(session, now=now):
        if deputies.end(session, appointment, by_person=None, how=how, now=now):
            subject = f"staff:{appointment.deputy_id}"
            record(session, at=now, staff_id=None, action="deputy.ended", subject=subject, detail={"how": str(how)})
            if how is Ending.ROLE:  # at its time everybody expects it
                tell_ended(session, appointment, now=now)


def tell_ended(session: Session, appointment: DeputyAppointment, *, now: datetime) -> None:
    """Tell both that the appointment is over before its time."""
    for staff_id in (appointment.deputy_id, appointment.head_id):
        tell(
            session,
            "deputy_ended",
            staff_id=staff_id,
            subject=f"appointment:{appointment.id}",
            context={
                "to_head": staff_id == appointment.head_id,
                "deputy": session.get_one(Staff, appointment.deputy_id).name,
                "head": session.get_one(Staff, appointment.head_id).name,
                "starts": when(appointment.starts_at),
                "ends": when(appointment.ends_at),
            },
            now=now,
        )


def _ending(session: Session, *, now: datetime) -> list[tuple[DeputyAppointment, Ending]]:
    over = [(one, Ending.TIME) for one in deputies.over(session, now)]
    coming = deputies.standing(session, now)
    staff = colleagues(session, now=now) if coming else ()
    lost = [
        (one, Ending.ROLE)
        for one in coming
        if not stands(Appointed(id=one.id, head_id=one.head_id, deputy_id=one.deputy_id), staff)
    ]
    return over + lost


def _lock_posts_asked_about(session: Session) -> list[Post]:
    asked = {number for one in session.scalars(_open_questions()) if (number := post_in(one.subject)) is not None}
    found = [session.get(Post, post_id, with_for_update=True, populate_existing=True) for post_id in sorted(asked)]
    return [post for post in found if post is not None]


def _hand_over(session: Session, post: Post, who: Deciders, *, now: datetime) -> None:
    request = session.scalars(
        _open_questions()
        .where(ApprovalRequest.subject == subject_of(post.id))
        .execution_options(populate_existing=True)  # it may have been settled while we waited for the post
    ).one_or_none()
    if request is None or post.state != PostState.WAITING or _stays(session, request, who, now=now):
        return
    requests.void_requests(session, request.subject, reason=PASSED_ON, now=now)
    move(post, PostState.REQUESTING)
    jobs.order(session, jobs.REQUEST, post.id, now=now)
    record(session, at=now, staff_id=None, action="approval.handed_over", subject=subject_of(post.id))


def _hand_reply_over(session: Session, case: Case, reply: CaseReply, who: Deciders, *, now: datetime) -> None:
    """A reply is asked about anew at once: there is nothing to check again. Where nobody may decide, it stays asked."""
    request = session.get(ApprovalRequest, reply.request_id, populate_existing=True)
    if request is None or request.status != RequestStatus.OPEN or _stays(session, request, who, now=now):
        return
    with suppress(Conflict):
        open_question(session, case, reply, who, now=now)
        record(session, at=now, staff_id=None, action="approval.handed_over", subject=request.subject)


def _open_questions() -> Select[ApprovalRequest]:
    return select(ApprovalRequest).where(ApprovalRequest.status == RequestStatus.OPEN)


def _stays(session: Session, request: ApprovalRequest, who: Deciders, *, now: datetime) -> bool:
    """Whether the question is where it belongs, or is better left there."""
    if request.expires_at <= now:
        return True  # its time is over; that it expired is told by the step for it
    why = head_only_of(session, request)
    if not who.may_decide(request.approver_id, author_id=request.author_id, head_only=why):
        return False
    try:
        asked = who.asked(author_id=request.author_id, head_only=why)
    except NobodyMayDecide:
        return True
    to_deputy = who.appointment_of(asked.id, author_id=request.author_id) is not None
    return not to_deputy or asked.id == request.approver_id or _is_being_read(session, request, now=now)


def _is_being_read(session: Session, request: ApprovalRequest, *, now: datetime) -> bool:
    """Whether the person asked has just given the second proof: nobody's half-written decision is taken away."""
    proved = select(ApprovalView.id_hash).where(
        ApprovalView.request_id == request.id,
        ApprovalView.person_id == request.approver_id,
        ApprovalView.proved_until > now,
    )
    return session.scalar(proved.limit(1)) is not None
