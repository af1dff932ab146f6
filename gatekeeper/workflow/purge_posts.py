"""Which posts had their time: originals first, then what never went out, then what was public.

Nothing goes that is on its way, that somebody still has to look at, or that is held. A post that shows a child stays
while the child is at the school, so that a permission withdrawn later finds it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, String, and_, cast, exists, literal, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from approvals.tables import ApprovalRequest, RequestStatus
from gatekeeper.cases.model import Case, CaseState
from gatekeeper.people.pupils import Pupil
from gatekeeper.posts.model import Face, Photo, Post, Publication, Version
from gatekeeper.posts.public import Incident, ReviewItem, Takedown, TakedownState
from gatekeeper.posts.repository import post_for_update
from gatekeeper.posts.status import ENDED, PostState, PublicationState
from gatekeeper.workflow.erase_post import erase
from gatekeeper.workflow.legal_hold import held_post
from gatekeeper.workflow.purge_rule import Night, Rule, done

P = PostState
_BEGUN: Final = (P.DRAFT, P.OPEN, P.CHANGES, P.SCAN_FAILED)
_OVER: Final = (P.REFUSED, P.WITHDRAWN, P.EXPIRED, P.MISSED, P.FAILED)
_MOVING: Final = (P.SCANNING, P.REQUESTING, P.WAITING, P.SCHEDULED, P.NEEDS_PERSON)
_OPEN: Final = (TakedownState.WAITING, TakedownState.ORDERED, TakedownState.BY_HAND)
_FEW: Final = 10  # a post has many rows, and somebody may want to write

_Due = Callable[[Session, Night], Select[Any] | None]


def _originals(session: Session, night: Night) -> Select[Any] | None:
    before = night.before("originals")
    if before is None:
        return None
    # told as a list of posts, which the database begins with: most posts have none any more
    there = Post.id.in_(select(Photo.post_id).where(Photo.original_gone_at.is_(None)))
    return _resting(session).where(Post.state == P.PUBLISHED, there, _was_public(), ~_public_since(before))


def _unpublished(class_id: str, states: Sequence[PostState]) -> _Due:
    def due(session: Session, night: Night) -> Select[Any] | None:
        before = night.before(class_id)
        if before is None:
            return None
        return _resting(session).where(Post.state.in_(states), _untouched_since(before), ~_was_public())

    return due


def _taken_down(session: Session, night: Night) -> Select[Any] | None:
    before = night.before("taken_down")
    if before is None:
        return None
    gone = exists().where(
        Takedown.publication_id == Publication.id,
        Takedown.state == TakedownState.GONE,
        Takedown.confirmed_at < before,
    )
    stands = exists().where(_of_post(), Publication.state == PublicationState.PUBLISHED, ~gone)
    # told as a list of posts, which the database begins with: few were ever taken down
    some = (
        select(Version.post_id)
        .join(Publication, Publication.version_id == Version.id)
        .join(Takedown, Takedown.publication_id == Publication.id)
        .where(Takedown.state == TakedownState.GONE, Takedown.confirmed_at < before)
    )
    return _resting(session).where(
        Post.id.in_(some),
        Post.state.not_in(_MOVING),
        _was_public(),
        ~stands,
        Post.changed_at < before,
        _due_before(before),
    )


def _published(session: Session, night: Night) -> Select[Any] | None:
    before, left = night.before("published"), night.day_before("leavers")
    if before is None or left is None:
        return None
    still_here = exists().where(
        Photo.post_id == Post.id,
        Face.photo_id == Photo.id,
        Pupil.id == Face.pupil_id,
        or_(Pupil.left_on.is_(None), Pupil.left_on >= left),
    )
    return _resting(session).where(
        Post.state.not_in(_MOVING), _was_public(), ~_public_since(before), _untouched_since(before), ~still_here
    )


def _resting(session: Session) -> Select[Any]:
    """Posts that are kept, on which nothing is waiting, and which nobody holds."""
    alive = exists().where(_of_post(), Publication.state.not_in(list(ENDED)))
    asked = exists().where(
        ApprovalRequest.subject == literal("post:") + cast(Post.id, String),
        ApprovalRequest.status == RequestStatus.OPEN,
    )
    return (
        select(Post.id)
        .where(
            Post.erased_at.is_(None),
            ~alive,
            ~asked,
            ~exists().where(Case.post_id == Post.id, Case.state != CaseState.CLOSED),
            ~exists().where(ReviewItem.post_id == Post.id, ReviewItem.state == "open"),
            ~exists().where(_of_post(), Takedown.publication_id == Publication.id, Takedown.state.in_(_OPEN)),
            ~exists().where(_of_post(), Incident.publication_id == Publication.id, Incident.closed_at.is_(None)),
            ~held_post(session),
        )
        .order_by(Post.id)
    )


def _of_post() -> ColumnElement[bool]:
    return and_(Version.post_id == Post.id, Publication.version_id == Version.id)


def _was_public() -> ColumnElement[bool]:
    return exists().where(_of_post(), Publication.state == PublicationState.PUBLISHED)


def _public_since(moment: datetime) -> ColumnElement[bool]:
    """Published after this moment, or nobody knows when."""
    late = or_(Publication.published_at.is_(None), Publication.published_at >= moment)
    return exists().where(_of_post(), Publication.state == PublicationState.PUBLISHED, late)


def _untouched_since(moment: datetime) -> ColumnElement[bool]:
    return and_(Post.changed_at < moment, _due_before(moment))


def _due_before(moment: datetime) -> ColumnElement[bool]:
    return or_(Post.due_at.is_(None), Post.due_at < moment)


def _each(due: _Due, act: Callable[[Session, Post, Night], None]) -> Callable[[Session, Sequence[Any], Night], int]:
    """Ask about each post once more while it is locked: its author may have gone on with it in this moment."""

    def run(session: Session, ids: Sequence[Any], night: Night) -> int:
        count = 0
        for post_id in ids:
            post = post_for_update(session, post_id)
            query = due(session, night)
            if query is None or session.scalar(query.where(Post.id == post_id)) is None:
                continue
            act(session, post, night)
            count += 1
        return count

    return run


def _drop_originals(session: Session, post: Post, night: Night) -> None:
    done(
        session,
        update(Photo)
        .where(Photo.post_id == post.id, Photo.original_gone_at.is_(None))
        .values(original_gone_at=night.now, preview_sha256=None),
    )


def _erases(class_id: str) -> Callable[[Session, Post, Night], None]:
    return lambda session, post, night: erase(session, post, why=class_id, now=night.now)


def _rule(class_id: str, due: _Due, act: Callable[[Session, Post, Night], None]) -> Rule:
    return Rule(id=class_id, due=due, erase=_each(due, act), batch=_FEW)


RULES: Final = (
    _rule("originals", _originals, _drop_originals),
    *(
        _rule(class_id, _unpublished(class_id, states), _erases(class_id))
        for class_id, states in (("rejected", _OVER), ("drafts", _BEGUN))
    ),
    _rule("taken_down", _taken_down, _erases("taken_down")),
    _rule("published", _published, _erases("published")),
)
