"""Whether a post that was public is still public: its own state says what went out, and not what was removed again."""

from collections.abc import Collection
from datetime import datetime
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


def gone_at(session: Session, publication_id: int) -> datetime | None:
    """When the platform showed that this publication, which was taken down, is gone; None where it is not."""
    removed = (
        select(Takedown.confirmed_at)
        .where(Takedown.publication_id == publication_id, Takedown.state == TakedownState.GONE)
        .order_by(Takedown.id.desc())
    )
    return session.scalar(removed.limit(1))


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
