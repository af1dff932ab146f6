"""Opens the review that a withdrawn consent calls for, in the transaction of the withdrawal itself.

Drafts and approved posts with the child are held and go back to their authors; what is on the wire is ordered down
and removed as soon as it is known; what is public is listed, each until it is gone or the headteacher keeps it with a
reason. Only the kinds of channel that are no longer allowed are concerned.

Two withdrawals at once neither wait for each other in a ring nor list anything twice: each locks its pupil first, then
the posts in the order of their ids, then the ledger, as edits and decisions do.
"""

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.clock import london
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import record
from gatekeeper.posts.model import ChannelAccount, Post, Publication
from gatekeeper.posts.public import ConsentReview, ReviewItem, Takedown, TakedownState
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import EDITABLE, VOIDED_BY_EDIT, PostState, PublicationState
from gatekeeper.workflow import consent_hold, takedown
from gatekeeper.workflow.appearances import PENDING, Appearance, appearances
from gatekeeper.workflow.change import stop_waiting, void
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.review_progress import close_if_done

#: why a review is opened -> the words for it
CAUSES: Final = {
    "withdrawn": "Permission was withdrawn",
    "refused": "The family said no",
    "never": "Marked “must never be shown”",
    "left": "Has left the school",
    "expired": "Permission has run out",
}
GIVEN_AGAIN: Final = "Permission was given again."
_S = PublicationState
_REASON: Final = "A photo or a name in it cannot be used any more."
_BEGUN: Final = frozenset(_S) - {
    _S.SCHEDULED, _S.CLAIMED, _S.CANCELLED,
}  # fmt: skip


@dataclass(frozen=True)
class _Cause:
    """What opened the review."""

    cause: str
    kinds: frozenset[str]
    by: int | None
    now: datetime


def open_review(
    session: Session,
    pupil_id: int,
    *,
    cause: str,
    kinds: Collection[str],
    by: int | None,
    now: datetime,
    also: Collection[int] = (),
) -> int | None:
    """Open the review of one child, or let the open one grow; returns its id, or None where there is nothing to review.

    The pupil's row is locked by the caller. Where nothing of the child is public or on its way, a permission that is
    taken away leaves a review that is closed already: it says that somebody looked. A first "no" and a date leave none.

    Args:
        session: the caller's transaction, in which the register was changed.
        pupil_id: the child.
        cause: one of `CAUSES`.
        kinds: the kinds of channel that are no longer allowed.
        by: who changed it; None where a date did.
        now: the moment.
        also: posts that the caller changes afterwards, so that all are locked at once.
    """
    why = _Cause(cause, frozenset(kinds), by, now)
    account_kinds = {row.id: row.kind for row in session.execute(select(ChannelAccount.id, ChannelAccount.kind))}
    accounts = {number for number, kind in account_kinds.items() if kind in why.kinds}
    session.flush()
    concerned = _concerned(session, appearances(session, pupil_id), accounts)
    if not concerned and (by is None or cause == "refused"):  # a table of answers would leave hundreds of empty ones
        return None
    _lock(session, {*also, *(one.post_id for one in concerned)})
    review = _review(session, pupil_id, why)
    again = appearances(session, pupil_id, only=[one.post_id for one in concerned])
    for one in reversed(_concerned(session, again, accounts)):
        _list_post(session, review, one, accounts, why)
    session.flush()
    close_if_done(session, review.id, by=by, now=now)
    return review.id


def given_again(
    session: Session, pupil_id: int, *, kinds: Collection[str], by: int, now: datetime, also: Collection[int] = ()
) -> None:
    """End what was listed only because it was not allowed, and is again. A removal that was ordered goes on.

    `also` are posts that the caller changes afterwards.
    """
    held = (
        select(Post.id)
        .where(Post.held_for_consent)
        .where(
            Post.id.in_(
                select(ReviewItem.post_id)
                .join(ConsentReview, ConsentReview.id == ReviewItem.review_id)
                .where(ConsentReview.pupil_id == pupil_id, ReviewItem.publication_id.is_(None))
            )
        )
    )
    numbers = set(session.scalars(held))
    _lock(session, {*also, *numbers})  # the ledger before the lines of the review, as wherever they change
    for number in sorted(numbers):
        post = session.get_one(Post, number)
        if post.held_for_consent:
            consent_hold.release(session, post, today=london(now).date())
    accounts = select(ChannelAccount.id).where(ChannelAccount.kind.in_(kinds))
    items = session.scalars(
        select(ReviewItem)
        .join(ConsentReview, ConsentReview.id == ReviewItem.review_id)
        .join(Publication, Publication.id == ReviewItem.publication_id)
        .where(ConsentReview.pupil_id == pupil_id, ReviewItem.state == "open", ReviewItem.takedown_id.is_(None))
        .where(Publication.account_id.in_(accounts))
        .order_by(ReviewItem.id)
        .execution_options(populate_existing=True)
    ).all()
    for item in items:
        item.state, item.words, item.ended_by, item.ended_at = "kept", GIVEN_AGAIN, by, now
    session.flush()
    for review_id in sorted({item.review_id for item in items}):
        close_if_done(session, review_id, by=by, now=now)


def lock_for(session: Session, pupils: Collection[int]) -> None:
    """Lock what the reviews of several children touch, all at once and in the order in which everybody locks."""
    session.scalars(select(Pupil).where(Pupil.id.in_(pupils)).order_by(Pupil.id).with_for_update(key_share=True)).all()
    numbers = {one.post_id for pupil_id in sorted(pupils) for one in appearances(session, pupil_id)}
    _lock(session, sorted(numbers))


def _concerned(session: Session, found: Sequence[Appearance], accounts: AbstractSet[int]) -> list[Appearance]:
    """Those that would publish, or have published, the child on one of these accounts."""
    channels: dict[int, list[int]] = {}
    drafts = [one.post_id for one in found if one.working and one.on_its_way]
    for first in range(0, len(drafts), 500):
        rows = select(Post.id, Post.channels).where(Post.id.in_(drafts[first : first + 500]))
        channels |= {post_id: [int(each) for each in chosen or ()] for post_id, chosen in session.execute(rows)}
    return [
        one
        for one in found
        if not accounts.isdisjoint(channels.get(one.post_id, ()))
        or any(
            publication.account_id in accounts and publication.state in PENDING | {_S.PUBLISHED}
            for publication in one.publications
        )
    ]


def _lock(session: Session, numbers: Collection[int]) -> None:
    """Lock the posts in the order of their ids, then the ledger; and read everything anew from here."""
    session.flush()
    session.expire_all()
    ordered = sorted(numbers)
    for first in range(0, len(ordered), 500):
        session.scalars(
            select(Post)
            .where(Post.id.in_(ordered[first : first + 500]))
            .order_by(Post.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()
    ledger.hold(session)


def _review(session: Session, pupil_id: int, why: _Cause) -> ConsentReview:
    """The open review of the child, which grows, or a new one."""
    review = session.scalars(
        select(ConsentReview)
        .where(ConsentReview.pupil_id == pupil_id, ConsentReview.closed_at.is_(None))
        .order_by(ConsentReview.id)
        .with_for_update()
    ).first()
    if review is None:
        review = ConsentReview(
            pupil_id=pupil_id, cause=why.cause, kinds=sorted(why.kinds), opened_by=why.by, opened_at=why.now
        )
        session.add(review)
        session.flush()
        body = {"review": review.id, "cause": why.cause, "by": why.by}
        ledger.append(session, at=why.now, kind="review.opened", body=body)
        record(session, at=why.now, staff_id=why.by, action="review.opened", subject=f"review:{review.id}", detail=body)
    else:
        review.kinds = sorted({*review.kinds, *why.kinds})
        review.opened_by = review.opened_by or why.by
    return review


def _list_post(
    session: Session, review: ConsentReview, one: Appearance, accounts: AbstractSet[int], why: _Cause
) -> None:
    post = session.get_one(Post, one.post_id)
    drafted = not {int(each) for each in post.channels or ()}.isdisjoint(accounts)
    if one.working and drafted and post.state in EDITABLE and post.state != PostState.WITHDRAWN:
        _hold_back(session, post, now=why.now)
        item = _item(session, review, post.id, None)
        item.how, item.state, item.ended_at, item.ended_by = one.working, "held", why.now, why.by
    for publication in one.publications:
        if publication.account_id not in accounts:
            continue
        how = one.sent[publication.id]
        state = _S(publication.state)
        if state is _S.PUBLISHED:
            _list_live(session, review, post.id, publication, how, why)
        elif state in PENDING:
            _order_down(session, review, post.id, publication, how, why)


def _hold_back(session: Session, post: Post, *, now: datetime) -> None:
    """Hold the post, take back what was asked and approved, and let its author know."""
    post.held_for_consent, post.note, post.changed_at = True, consent_hold.HELD_NOTE, now
    if post.state not in VOIDED_BY_EDIT:
        return
    begun = select(Publication.id).where(Publication.version_id == post.version_id, Publication.state.in_(_BEGUN))
    if session.scalars(begun.limit(1)).first() is not None:
        stop_waiting(session, post, by=None, now=now, reason=_REASON)
    else:
        void(session, post, by=None, now=now, reason=_REASON)
        move(post, PostState.OPEN)
    told_of = {"post_id": post.id}
    subject = f"post:{post.id}:held:{post.revision}:{now.isoformat()}"
    tell(session, "held_for_consent", staff_id=post.author_id, subject=subject, context=told_of, now=now)


def _list_live(  # noqa: PLR0917 - what is listed, and why
    session: Session, review: ConsentReview, post_id: int, publication: Publication, how: str, why: _Cause
) -> None:
    """A public post: open until it is gone, or kept. What is gone already is not listed.

    What was kept is asked about anew where the child must never be shown: that beats the reason for keeping it.
    """
    removals = session.scalars(
        select(Takedown).where(Takedown.publication_id == publication.id).order_by(Takedown.id.desc())
    ).all()
    if any(removal.state == TakedownState.GONE for removal in removals):
        return
    item = _item(session, review, post_id, publication.id)
    if item.state == "kept" and (item.words == GIVEN_AGAIN or why.cause == "never"):
        item.state, item.words, item.ended_by, item.ended_at = "open", "", None, None
    item.how = how
    item.takedown_id = next((one.id for one in removals if one.state in takedown.STANDING), None)


def _order_down(  # noqa: PLR0917 - what is listed, and why
    session: Session, review: ConsentReview, post_id: int, publication: Publication, how: str, why: _Cause
) -> None:
    """Not public yet, as far as anybody knows: cancelled where it has not begun, else removed as soon as it is found."""
    number = takedown.order(
        session, account_id=publication.account_id, publication_id=publication.id, why="consent", words="", by=why.by,
        now=why.now,
    )  # fmt: skip
    item = _item(session, review, post_id, publication.id)
    item.how, item.takedown_id = how, number
    if session.get_one(Takedown, number).state == TakedownState.NEVER_PUBLIC:
        item.state, item.ended_at, item.ended_by = "held", why.now, why.by


def _item(session: Session, review: ConsentReview, post_id: int, publication_id: int | None) -> ReviewItem:
    """The line of the review for this post or publication; there is never a second."""
    item = session.scalars(
        select(ReviewItem).where(
            ReviewItem.review_id == review.id,
            ReviewItem.post_id == post_id,
            ReviewItem.publication_id == publication_id
            if publication_id is not None
            else ReviewItem.publication_id.is_(None),
        )
    ).first()
    if item is None:
        item = ReviewItem(review_id=review.id, post_id=post_id, publication_id=publication_id, state="open")
        session.add(item)
    return item
