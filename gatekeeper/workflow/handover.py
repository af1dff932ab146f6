"""Hands open questions over: what was asked of somebody who may no longer decide goes to whoever may decide now.

The old question is closed, its link opens nothing any more, and the post is on its way to the headteacher again, all
in the transaction that changes who decides. Its author has nothing to do and is not written to. Where nobody may
decide, the post stays on its way and goes on as soon as somebody may.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from approvals import ledger, requests
from approvals.tables import ApprovalRequest, RequestStatus
from gatekeeper import jobs
from gatekeeper.people.staff import record
from gatekeeper.policy.approvers import Colleague, may_decide
from gatekeeper.posts.model import Post
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.change import subject_of
from gatekeeper.workflow.decide import post_id_in
from gatekeeper.workflow.request import colleagues
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
    ledger.hold(session)
    yield
    session.flush()
    staff = colleagues(session, now=now)
    for post in posts:
        _hand_over(session, post, staff, now=now)


def run(services: Services) -> None:
    """Hand over what no step could: an account whose last day is over closes without anybody doing anything."""
    now = services.clock.now()
    with services.db.read() as session:  # most times there is nothing, and then no writer's place is taken
        staff = colleagues(session, now=now)
        stale = any(not _may_still(request, staff) for request in session.scalars(_open_questions()))
    if stale:
        with services.step() as session, handing_over(session, now=now):
            pass


def _lock_posts_asked_about(session: Session) -> list[Post]:
    asked = {post_id_in(request.subject) for request in session.scalars(_open_questions())}
    found = [session.get(Post, post_id, with_for_update=True, populate_existing=True) for post_id in sorted(asked)]
    return [post for post in found if post is not None]


def _hand_over(session: Session, post: Post, staff: list[Colleague], *, now: datetime) -> None:
    request = session.scalars(
        _open_questions()
        .where(ApprovalRequest.subject == subject_of(post.id))
        .execution_options(populate_existing=True)  # it may have been settled while we waited for the post
    ).one_or_none()
    if request is None or post.state != PostState.WAITING or _may_still(request, staff):
        return
    if request.expires_at <= now:
        return  # its time is over; that it expired is told by the step for it
    requests.void_requests(session, request.subject, reason=PASSED_ON, now=now)
    move(post, PostState.REQUESTING)
    jobs.order(session, jobs.REQUEST, post.id, now=now)
    record(session, at=now, staff_id=None, action="approval.handed_over", subject=subject_of(post.id))


def _open_questions() -> Select[ApprovalRequest]:
    return select(ApprovalRequest).where(ApprovalRequest.status == RequestStatus.OPEN)


def _may_still(request: ApprovalRequest, staff: list[Colleague]) -> bool:
    return may_decide(request.approver_id, staff, author_id=request.author_id)
