"""Which words about what is public had their time: readings of the accounts, incidents, removals, consent reviews.

Only words and pictures go. That something happened, of which kind and when, and that it came to an end, stays.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, Text, cast, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from gatekeeper.cases.model import Case
from gatekeeper.people.pupils import Pupil
from gatekeeper.posts.model import Post, Publication, Version
from gatekeeper.posts.public import ConsentReview, Incident, RemotePublicPost, ReviewItem, Takedown, TakedownState
from gatekeeper.workflow.legal_hold import held_case, held_post, held_pupil
from gatekeeper.workflow.purge_rule import Night, Rule, done

_DONE: Final = (TakedownState.GONE, TakedownState.NEVER_PUBLIC)


def _held_publications(session: Session) -> Select[Any]:
    return (
        select(Publication.id)
        .join(Version, Version.id == Publication.version_id)
        .join(Post, Post.id == Version.post_id)
        .where(held_post(session))
    )


def _readings(session: Session, night: Night) -> Select[Any] | None:
    before = night.before("public_readings")
    if before is None:
        return None
    about = exists().where(
        Incident.account_id == RemotePublicPost.account_id,
        Incident.remote_id == RemotePublicPost.remote_id,
        Incident.closed_at.is_(None),
    )
    mine = RemotePublicPost.publication_id
    return (
        select(RemotePublicPost.id)
        .where(
            RemotePublicPost.seen_at < before,
            ~about,
            or_(mine.is_(None), mine.not_in(_held_publications(session))),
        )
        .order_by(RemotePublicPost.id)
    )


def _incidents(session: Session, night: Night) -> Select[Any] | None:
    before = night.before("incidents")
    if before is None:
        return None
    words = or_(Incident.text != "", Incident.outcome != "", cast(Incident.pictures, Text) != "[]")
    mine = Incident.publication_id
    kept = select(Takedown.incident_id).where(
        Takedown.incident_id.is_not(None), Takedown.case_id.in_(select(Case.id).where(held_case(session)))
    )
    return (
        select(Incident.id)
        .where(
            Incident.closed_at < before,
            words,
            or_(mine.is_(None), mine.not_in(_held_publications(session))),
            Incident.id.not_in(kept),
        )
        .order_by(Incident.id)
    )


def _erase_incidents(session: Session, ids: Sequence[Any], _: Night) -> int:
    closed = update(Incident).where(Incident.id.in_(ids), Incident.closed_at.is_not(None))
    return done(session, closed.values(text="", outcome="", pictures=[]))


def _removals(session: Session, night: Night) -> Select[Any] | None:
    before = night.before("removals")
    if before is None:
        return None
    mine = Takedown.publication_id
    held = select(Case.id).where(held_case(session))
    return (
        select(Takedown.id)
        .where(
            Takedown.state.in_(_DONE),
            func.coalesce(Takedown.confirmed_at, Takedown.next_at, type_=Takedown.asked_at.type) < before,
            or_(Takedown.words != "", Takedown.problem != ""),
            or_(mine.is_(None), mine.not_in(_held_publications(session))),
            or_(Takedown.case_id.is_(None), Takedown.case_id.not_in(held)),
        )
        .order_by(Takedown.id)
    )


def _erase_removals(session: Session, ids: Sequence[Any], _: Night) -> int:
    ended = update(Takedown).where(Takedown.id.in_(ids), Takedown.state.in_(_DONE))
    return done(session, ended.values(words="", problem=""))


def _reviews(session: Session, night: Night) -> Select[Any] | None:
    before = night.before("reviews")
    if before is None:
        return None
    kept = select(Pupil.id).where(held_pupil(session))
    written = exists().where(ReviewItem.review_id == ConsentReview.id, ReviewItem.words != "")
    held = exists().where(
        ReviewItem.review_id == ConsentReview.id,
        ReviewItem.post_id.in_(select(Post.id).where(held_post(session))),
    )
    return (
        select(ConsentReview.id)
        .where(
            ConsentReview.closed_at < before,
            or_(ConsentReview.letter != "", written),
            ConsentReview.pupil_id.not_in(kept),
            ~held,
        )
        .order_by(ConsentReview.id)
    )


def _erase_reviews(session: Session, ids: Sequence[Any], _: Night) -> int:
    done(session, update(ReviewItem).where(ReviewItem.review_id.in_(ids)).values(words=""))
    return done(session, update(ConsentReview).where(ConsentReview.id.in_(ids)).values(letter=""))


RULES: Final = (
    Rule(
        id="public_readings",
        due=_readings,
        erase=lambda session, ids, _: done(session, delete(RemotePublicPost).where(RemotePublicPost.id.in_(ids))),
    ),
    Rule(id="incidents", due=_incidents, erase=_erase_incidents),
    Rule(id="removals", due=_removals, erase=_erase_removals),
    Rule(id="reviews", due=_reviews, erase=_erase_reviews),
)
