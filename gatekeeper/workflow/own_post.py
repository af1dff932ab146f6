"""Whose post is it: an author's own, for changing; somebody's, for reading. Everybody else is told there is none."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.tables import ApprovalRequest
from gatekeeper.clock import london
from gatekeeper.errors import NotFound
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Post
from gatekeeper.posts.repository import post_for_update
from gatekeeper.posts.status import PostState
from gatekeeper.workflow.deciders import deciders

_NONE: Final = "There is no such post, or it is not yours to see."

#: who may read another's post once it was sent for checking; the second set sees no word, photo or face of it
READERS: Final = frozenset({Role.HEADTEACHER, Role.CONSENT_LEAD})
#: a deputy is here, because the role alone decides about nothing: `may_see_pictures` asks whether they decide
READERS_WITHOUT_PICTURES: Final = frozenset({Role.DEPUTY, Role.ADMINISTRATOR})


def own_post(session: Session, post_id: int, by: int) -> Post:
    """The author's own post, locked until the transaction ends.

    Raises:
        NotFound: there is none, it is somebody else's, or it was erased.
    """
    try:
        post = post_for_update(session, post_id)
    except NotFound:
        raise NotFound(_NONE) from None
    if post.author_id != by:
        raise NotFound(_NONE)
    _check_kept(post)
    return post


def readable_post(session: Session, post_id: int, by: Staff) -> Post:
    """A post this person may read: their own, or one that was sent for checking where their role includes it.

    Raises:
        NotFound: there is none, or none for this person. A draft that was never sent is its author's alone.
    """
    post = session.get(Post, post_id)
    if post is None or not (post.author_id == by.id or (_was_sent(post) and _role(by) in _ALL_READERS)):
        raise NotFound(_NONE)
    _check_kept(post)
    return post


def erased_words(post: Post) -> str:
    """What is said of a post whose words and pictures were erased; empty for every other."""
    if post.erased_at is None:
        return ""
    day = london(post.erased_at)
    return (
        f"The words and pictures of post {post.id} were erased on {day.day} {day:%B %Y}, because their time was over. "
        "That it was decided about, and where it was published, is kept."
    )


def _check_kept(post: Post) -> None:
    if post.erased_at is not None:
        raise NotFound(erased_words(post))


def may_see_pictures(session: Session, post: Post, by: Staff, *, now: datetime) -> bool:
    """Whether this person may see the words, photos and faces of a post they may read.

    A deputy may where they were asked about it, or where they may decide about it at this moment.
    """
    if post.author_id == by.id:
        return True
    if not _was_sent(post):
        return False
    return _role(by) in READERS or (_role(by) is Role.DEPUTY and _decides(session, post, by, now=now))


def _decides(session: Session, post: Post, by: Staff, *, now: datetime) -> bool:
    asked = select(ApprovalRequest.id).where(
        ApprovalRequest.subject == f"post:{post.id}", ApprovalRequest.approver_id == by.id
    )
    return session.scalars(asked.limit(1)).first() is not None or deciders(session, now=now).may_decide(
        by.id, author_id=post.author_id, head_only=""
    )


_ALL_READERS: Final = READERS | READERS_WITHOUT_PICTURES


def _was_sent(post: Post) -> bool:
    return post.state != PostState.DRAFT or post.version_id is not None


def _role(staff: Staff) -> Role:
    return Role(staff.role)
