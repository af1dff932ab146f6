"""Stopping an approved post before its time, by its author or by whoever may decide: second thoughts count at once."""

from gatekeeper.errors import Conflict, NotFound
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.posts.repository import post_for_update
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.change import stop_waiting
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services

DECIDERS = frozenset({Role.HEADTEACHER, Role.DEPUTY})


def may_stop(staff: Staff, author_id: int) -> bool:
    """Whether this person may stop an approved post of that author."""
    return staff.id == author_id or Role(staff.role) in DECIDERS


def stop(services: Services, post_id: int, *, by: int) -> PostState:
    """Take the approval back and cancel every channel that has not begun; says what the post is now.

    Raises:
        NotFound: there is no such post for this person.
        Conflict: it is not waiting for its time (any more).
    """
    now = services.clock.now()
    with services.step() as session:
        post = post_for_update(session, post_id)
        staff = session.get_one(Staff, by)
        if not may_stop(staff, post.author_id):
            raise NotFound("There is no such post.")
        if post.state != PostState.SCHEDULED:
            raise Conflict("This post is not waiting for its time, so there is nothing to stop.")
        own = staff.id == post.author_id
        reason = "The author stopped the post." if own else "The approval was taken back."
        stop_waiting(session, post, by=by, now=now, reason=reason)
        post.note = "" if own else reason
        post.changed_at = now
        record(session, at=now, staff_id=by, action="post.stopped", subject=f"post:{post.id}")
        if not own:
            tell(
                session,
                "not_sent",
                staff_id=post.author_id,
                subject=f"post:{post.id}:stopped:{post.revision}",
                context={"post_id": post.id, "sentence": reason},
                now=now,
            )
        return PostState(post.state)
