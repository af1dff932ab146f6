"""Which posts had their time: originals first, then what never went out, then what was public.

Nothing goes that is on its way, that somebody still has to look at, or that is held. A post that shows a child stays
while the child is at the school, so that a permission withdrawn later finds it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, String, and_, cast, literal, or_, select, update
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
from gatekeeper.workflow.purge_rule import Night, Rule, done, still_due

P = PostState
_BEGUN: Final = (P.DRAFT, P.OPEN, P.CHANGES, P.SCAN_FAILED)
_OVER: Final = (P.REFUSED, P.WITHDRAWN, P.EXPIRED, P.MISSED, P.FAILED)
_MOVING: Final = (P.SCANNING, P.REQUESTING, P.WAITING, P.SCHEDULED, P.NEEDS_PERSON)
_OPEN: Final = (TakedownState.WAITING, TakedownState.ORDERED, TakedownState.BY_HAND)
_FEW: Final = 10  # a post has many rows, and somebody may want to write

_IS_PUBLIC: Final = Publication.state == PublicationState.PUBLISHED

_Due = Callable[[Session, Night], Select[Any] | None]


def _originals(session: Session, night: Night) -> Select[Any] | None:
    before = night.before("originals")
    if before is None:
        return None
    there = _photos(night).where(Photo.original_gone_at.is_(None))
    return _public(session, night).where(
        Post.state == P.PUBLISHED, Post.id.in_(there), Post.id.not_in(_published_after(night, before))
    )


def _unpublished(class_id: str, states: Sequence[PostState]) -> _Due:
    def due(session: Session, night: Night) -> Select[Any] | None:
        before = night.before(class_id)
        if before is None:
            return None
        return _resting(session, night).where(
            Post.state.in_(states), _untouched_since(before), Post.id.not_in(_posts_of(night, _IS_PUBLIC))
        )

    return due


def _taken_down(session: Session, night: Night) -> Select[Any] | None:
    before = night.before("taken_down")
    if before is None:
        return None
    gone = select(Takedown.publication_id).where(
        Takedown.publication_id.is_not(None), Takedown.state == TakedownState.GONE, Takedown.confirmed_at < before
    )
    stands = _posts_of(night, _IS_PUBLIC, Publication.id.not_in(gone))
    return _public(session, night).where(Post.state.not_in(_MOVING), Post.id.not_in(stands), _untouched_since(before))


def _published(session: Session, night: Night) -> Select[Any] | None:
    before, left = night.before("published"), night.day_before("leavers")
    if before is None or left is None:
        return None
    still_here = (
        _photos(night)
        .join(Face, Face.photo_id == Photo.id)
        .join(Pupil, Pupil.id == Face.pupil_id)
        .where(or_(Pupil.left_on.is_(None), Pupil.left_on >= left))
    )
    return _public(session, night).where(
        Post.state.not_in(_MOVING),
        _untouched_since(before),
        Post.id.not_in(_published_after(night, before)),
        Post.id.not_in(still_here),
    )


def _public(session: Session, night: Night) -> Select[Any]:
    """Resting posts that were public on a channel at least."""
    return _resting(session, night).where(Post.id.in_(_posts_of(night, _IS_PUBLIC)))


def _resting(session: Session, night: Night) -> Select[Any]:
    """Posts that are kept, on which nothing is waiting, and which nobody holds.

    Each condition is a list of posts that is made once: asked for each post by itself, SQLite would look through all
    publications for each.
    """
    about = select(Case.post_id).where(Case.post_id.is_not(None), Case.state != CaseState.CLOSED)
    removals = select(Takedown.publication_id).where(Takedown.publication_id.is_not(None), Takedown.state.in_(_OPEN))
    incidents = select(Incident.publication_id).where(
        Incident.publication_id.is_not(None), Incident.closed_at.is_(None)
    )
    asked = select(ApprovalRequest.subject).where(ApprovalRequest.status == RequestStatus.OPEN)
    return (
        select(Post.id)
        .where(
            Post.erased_at.is_(None),
            Post.id.not_in(_posts_of(night, Publication.state.not_in(list(ENDED)))),
            (literal("post:") + cast(Post.id, String)).not_in(asked),
            Post.id.not_in(about),
            Post.id.not_in(select(ReviewItem.post_id).where(ReviewItem.state == "open")),
            Post.id.not_in(_posts_of(night, or_(Publication.id.in_(removals), Publication.id.in_(incidents)))),
            ~held_post(session, among=night.among),
        )
        .order_by(Post.id)
    )


def _posts_of(night: Night, *conditions: ColumnElement[bool]) -> Select[Any]:
    """The posts with such a publication."""
    found = select(Version.post_id).join(Publication, Publication.version_id == Version.id).where(*conditions)
    return found if night.among is None else found.where(Version.post_id.in_(night.among))


def _photos(night: Night) -> Select[Any]:
    """The posts of photos, to be narrowed."""
    found = select(Photo.post_id)
    return found if night.among is None else found.where(Photo.post_id.in_(night.among))


def _published_after(night: Night, moment: datetime) -> Select[Any]:
    """The posts that went out after this moment, or nobody knows when."""
    late = or_(Publication.published_at.is_(None), Publication.published_at >= moment)
    return _posts_of(night, _IS_PUBLIC, late)


def _untouched_since(moment: datetime) -> ColumnElement[bool]:
    return and_(Post.changed_at < moment, or_(Post.due_at.is_(None), Post.due_at < moment))


def _each(due: _Due, act: Callable[[Session, Post, Night], None]) -> Callable[[Session, Sequence[Any], Night], int]:
    """Ask about the posts once more while they are locked: an author may have gone on with one in this moment."""

    def run(session: Session, ids: Sequence[Any], night: Night) -> int:
        posts = {post_id: post_for_update(session, post_id) for post_id in sorted(ids)}
        going = still_due(session, due, night, ids)
        for post_id in going:
            act(session, posts[post_id], night)
        return len(going)

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
    return Rule(id=class_id, due=due, erase=_each(due, act), batch=_FEW, asks_again=True)


RULES: Final = (
    replace(_rule("originals", _originals, _drop_originals), batch=50),
    *(
        _rule(class_id, _unpublished(class_id, states), _erases(class_id))
        for class_id, states in (("rejected", _OVER), ("drafts", _BEGUN))
    ),
    _rule("taken_down", _taken_down, _erases("taken_down")),
    _rule("published", _published, _erases("published")),
)
