"""What the end of a removal means for the reviews of consent that wait for it: a list that reaches zero."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.posts.public import ConsentReview, ReviewItem, Takedown


def removal_ordered(session: Session, takedown: Takedown) -> None:
    """Let every item that is open about this post know its removal, wherever it was ordered."""
    if takedown.publication_id is not None:
        session.execute(
            update(ReviewItem)
            .where(ReviewItem.publication_id == takedown.publication_id)
            .where(ReviewItem.state == "open", ReviewItem.takedown_id.is_(None))
            .values(takedown_id=takedown.id)
        )


def removal_ended(session: Session, takedown: Takedown, *, by: int | None, now: datetime, end: str = "gone") -> None:
    """End every item that waited for this removal, and every review in which nothing is open any more.

    `end` is "gone", or "held" where the post never became public.
    """
    items = session.scalars(
        select(ReviewItem)
        .where(ReviewItem.state == "open")
        .where(
            (ReviewItem.takedown_id == takedown.id)
            | (ReviewItem.publication_id.is_not(None) & (ReviewItem.publication_id == takedown.publication_id))
        )
        .order_by(ReviewItem.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for item in items:
        item.state, item.ended_by, item.ended_at = end, by, now
        item.takedown_id = item.takedown_id or takedown.id
    session.flush()
    for review_id in sorted({item.review_id for item in items}):
        close_if_done(session, review_id, by=by or takedown.asked_by, now=now)


def close_if_done(session: Session, review_id: int, *, by: int | None, now: datetime) -> bool:
    """Close the review once nothing in it is open. A review always names who brought it to its end."""
    review = session.get_one(ConsentReview, review_id, with_for_update=True)
    who = by or review.opened_by
    still_open = select(ReviewItem.id).where(ReviewItem.review_id == review_id, ReviewItem.state == "open")
    if review.closed_at is not None or who is None or session.scalars(still_open.limit(1)).first() is not None:
        return False
    review.closed_at, review.closed_by = now, who
    ledger.append(session, at=now, kind="review.closed", body={"review": review.id, "by": who})
    return True
