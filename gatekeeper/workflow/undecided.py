"""Tells the office and the author, two hours before its time, of a post about which nobody has decided.

Whoever may decide is reminded by `remind`. This is for those who cannot decide and may be able to do something about
it: ring the headteacher, have a deputy named, tell the author. It goes at any hour of the day, once for each version,
whether somebody was asked or nobody could be. A post that was sent less than two hours before its time is told of at
once. Nobody decides: nothing is published.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services

KIND: Final = "undecided"
BEFORE: Final = timedelta(hours=2)
_UNDECIDED: Final = (PostState.WAITING, PostState.REQUESTING)


@dataclass(frozen=True)
class _Due:
    """One e-mail that is to go now."""

    post_id: int
    staff_id: int
    subject: str


def run(services: Services) -> int:
    """Order every such e-mail whose moment has come. Says how many that were."""
    now = services.clock.now()
    with services.db.read() as session:  # most times there is nothing, and then no writer's place is taken
        if not _coming(session, now=now):
            return 0
    with services.step() as session:
        coming = _coming(session, now=now)  # asked again: a decision may have been quicker
        for one in coming:
            tell(session, KIND, staff_id=one.staff_id, subject=one.subject, context={"post_id": one.post_id}, now=now)
    return len(coming)


def _coming(session: Session, *, now: datetime) -> list[_Due]:
    """Everybody who has not been told yet of a post that nobody has decided about."""
    posts = session.scalars(
        select(Post)
        .where(Post.state.in_(_UNDECIDED), Post.due_at > now, Post.due_at <= now + BEFORE)
        .order_by(Post.id)
        .execution_options(populate_existing=True)
    ).all()
    if not posts:
        return []
    office = _office(session, now=now)
    wanted = [
        _Due(post.id, staff_id, f"post:{post.id}:undecided:{post.version_id}")
        for post in posts
        for staff_id in sorted({post.author_id, *office})
    ]
    told = _told(session, {one.subject for one in wanted})
    return [one for one in wanted if (one.staff_id, one.subject) not in told]


def _office(session: Session, *, now: datetime) -> set[int]:
    today = london(now).date()
    administrators = session.scalars(select(Staff).where(Staff.role == Role.ADMINISTRATOR))
    return {one.id for one in administrators if one.may_sign_in(today)}


def _told(session: Session, subjects: Iterable[str]) -> set[tuple[int, str]]:
    rows = session.execute(
        select(Notice.staff_id, Notice.subject).where(Notice.kind == KIND, Notice.subject.in_(subjects))
    )
    return {(row.staff_id, row.subject) for row in rows}
