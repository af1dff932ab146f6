"""Whether a post that was public is still public: its own state says what went out, and not what was removed again."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from gatekeeper.posts.model import Publication, Version
from gatekeeper.posts.public import Takedown, TakedownState
from gatekeeper.posts.status import PublicationState

#: (word, colour, sign), by whether all of it is gone
GONE_BADGE: Final = {True: ("Taken down", "secondary", "–"), False: ("Taken down in part", "warning", "◐")}
GONE_WORDS: Final = {
    True: "Taken down: it is gone from every channel it was on.",
    False: "Taken down from some of its channels. Below it says from which.",
}


def is_gone(session: Session, publication_id: int) -> bool:
    """Whether this publication was taken down, and the platform showed it."""
    removed = select(Takedown.id).where(Takedown.publication_id == publication_id, Takedown.state == TakedownState.GONE)
    return session.scalar(removed.limit(1)) is not None


def gone(session: Session, post_ids: Collection[int]) -> dict[int, bool]:
    """Of these posts those that were taken down: True where all that was public is gone, False where some is."""
    removed = (
        select(Takedown.id)
        .where(Takedown.publication_id == Publication.id, Takedown.state == TakedownState.GONE)
        .exists()
    )
    away = func.sum(case((removed, 1), else_=0))
    rows = session.execute(
        select(Version.post_id, func.count(), away)
        .join(Publication, Publication.version_id == Version.id)
        .where(Version.post_id.in_(post_ids), Publication.state == PublicationState.PUBLISHED)
        .group_by(Version.post_id)
    )
    return {post_id: removed == public for post_id, public, removed in rows if removed}
