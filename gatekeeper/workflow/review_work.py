"""What people do with a review of consent: take posts down, keep one with a reason, write to the family."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.posts.model import Post, Publication
from gatekeeper.posts.public import ConsentReview, ReviewItem
from gatekeeper.workflow import takedown
from gatekeeper.workflow.review_progress import close_if_done
from gatekeeper.workflow.services import Services

MAY_REMOVE: Final = frozenset({Role.CONSENT_LEAD, Role.HEADTEACHER})
_SHORTEST: Final = 10
LONGEST_LETTER: Final = 10_000


def take_down(services: Services, review_id: int, *, by: int, item_id: int | None = None) -> int:
    """Order every open post of the review down, or one of them; returns how many were ordered now.

    Raises:
        NotFound: there is no such review or line.
        NotAllowed: somebody else than the consent lead or the headteacher.
        Conflict: nothing is left to order.
    """
    now = services.clock.now()
    with services.step() as session:
        _check_role(session, by, MAY_REMOVE)
        _lock(session, review_id)
        items = [
            item
            for item in _items(session, review_id)
            if item.state == "open" and item.takedown_id is None and item_id in (None, item.id)
        ]
        if not items:
            raise Conflict("Nothing is left here to take down: it was ordered already, or it has ended.")
        for item in items:
            publication = session.get_one(Publication, item.publication_id)
            item.takedown_id = takedown.order(
                session, account_id=publication.account_id, publication_id=publication.id, why="consent", words="",
                by=by, now=now,
            )  # fmt: skip
        record(
            session, at=now, staff_id=by, action="review.taken_down", subject=f"review:{review_id}",
            detail={"items": [item.id for item in items]},
        )  # fmt: skip
        return len(items)


def keep(services: Services, review_id: int, item_id: int, *, words: str, by: int) -> None:
    """Let one post stand, with the headteacher's reason: another basis than consent carries it.

    Raises:
        BadInput: no reason, or hardly one.
        NotFound: there is no such review or line.
        NotAllowed: somebody else than the headteacher.
        Conflict: it is being taken down, or it has ended.
    """
    words, now = words.strip(), services.clock.now()
    if len(words) < _SHORTEST:
        sentence = "Please say on what basis it may stay, in a sentence."
        raise BadInput(sentence, fields={"words": sentence})
    with services.step() as session:
        _check_role(session, by, {Role.HEADTEACHER})
        _lock(session, review_id)
        item = next((one for one in _items(session, review_id) if one.id == item_id), None)
        if item is None:
            raise NotFound("There is no such post in this review.")
        if item.state != "open" or item.takedown_id is not None:
            raise Conflict("This post is being taken down, or has ended.")
        item.state, item.words, item.ended_by, item.ended_at = "kept", words, by, now
        session.flush()
        record(
            session, at=now, staff_id=by, action="review.kept", subject=f"review:{review_id}",
            detail={"item": item.id, "publication": item.publication_id},
        )  # fmt: skip
        close_if_done(session, review_id, by=by, now=now)


def close(services: Services, review_id: int, *, by: int) -> None:
    """Close a review in which nothing is open and that a date had opened.

    Raises:
        NotFound, NotAllowed: as above.
        Conflict: something is still open, or it is closed.
    """
    now = services.clock.now()
    with services.step() as session:
        _check_role(session, by, MAY_REMOVE)
        _lock(session, review_id)
        if not close_if_done(session, review_id, by=by, now=now):
            raise Conflict("Something here is still open, or the review is closed already.")
        record(session, at=now, staff_id=by, action="review.closed", subject=f"review:{review_id}")


def save_letter(services: Services, review_id: int, *, words: str, by: int) -> None:
    """Keep the letter to the family as the consent lead wrote it. Gatekeeper sends it to nobody.

    Raises:
        BadInput: it is empty, or longer than a letter.
        NotFound: there is no such review.
        NotAllowed: somebody else than the consent lead.
    """
    words = words.replace("\r\n", "\n").strip()
    if not words or len(words) > LONGEST_LETTER:
        sentence = "The letter is empty." if not words else "This is longer than a letter may be."
        raise BadInput(sentence, fields={"letter": sentence})
    with services.step() as session:
        _check_role(session, by, {Role.CONSENT_LEAD})
        review = session.get(ConsentReview, review_id, with_for_update=True)
        if review is None:
            raise NotFound("There is no such review.")
        review.letter = words
        now = services.clock.now()
        record(session, at=now, staff_id=by, action="review.letter", subject=f"review:{review_id}")


def forget_letter(services: Services, review_id: int, *, by: int) -> None:
    """Let the letter be written anew from what was done.

    Raises:
        NotFound, NotAllowed: as above.
    """
    with services.step() as session:
        _check_role(session, by, {Role.CONSENT_LEAD})
        review = session.get(ConsentReview, review_id, with_for_update=True)
        if review is None:
            raise NotFound("There is no such review.")
        review.letter = ""
        record(
            session, at=services.clock.now(), staff_id=by, action="review.letter", subject=f"review:{review_id}",
            detail={"anew": True},
        )  # fmt: skip


def _check_role(session: Session, by: int, allowed: Collection[Role]) -> None:
    if Role(session.get_one(Staff, by).role) not in allowed:
        raise NotAllowed("This is for others to decide.")


def _lock(session: Session, review_id: int) -> None:
    """The posts of what is open, in the order of their ids, then the ledger, then the review: as everywhere."""
    numbers = select(ReviewItem.post_id).where(ReviewItem.review_id == review_id, ReviewItem.state == "open")
    session.scalars(select(Post).where(Post.id.in_(numbers)).order_by(Post.id).with_for_update()).all()
    ledger.hold(session)
    if session.get(ConsentReview, review_id, with_for_update=True) is None:
        raise NotFound("There is no such review.")


def _items(session: Session, review_id: int) -> list[ReviewItem]:
    return list(
        session.scalars(
            select(ReviewItem)
            .where(ReviewItem.review_id == review_id)
            .order_by(ReviewItem.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
