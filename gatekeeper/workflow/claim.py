"""Claiming what is due: one process holds one publication under a fence until its lease runs out, or nobody does."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.errors import GatekeeperError
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.posts.repository import move_publication, publication_for_update
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow.change import settle
from gatekeeper.workflow.crash_points import reached
from gatekeeper.workflow.outcome import ended
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.stopped import sending_stopped

_MISSED = "Its approved window passed before it could be sent."
_STOPPED = "Sending was stopped at that time."


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right of one process to send one publication until its lease runs out."""

    publication_id: int
    fence: int


class LostClaim(GatekeeperError):
    """Somebody else holds the publication now, or it was cancelled: this process must not touch it."""


def claim_due(services: Services, *, owner: str, limit: int = 10, miss: bool = True) -> list[Claim]:
    """Take what is due, oldest first, for one lease. What is past its window becomes *missed* instead.

    With `miss` off that is left for another time: it is not taken either.

    Nothing is taken while sending is stopped, and nothing for a channel that is held or being checked: it keeps its
    place, and goes out as soon as the channel is open again and its window still is.
    """
    reached("C0")
    now = services.clock.now()
    if miss:
        _miss_late(services, now=now)
    if not _anything_due(services, now=now):  # most times; a look takes no writer's place
        return []
    claims: list[Claim] = []
    with services.step() as session:
        if sending_stopped(session):
            return []
        due = session.scalars(
            select(Publication)
            .join(ChannelAccount, ChannelAccount.id == Publication.account_id)
            .where(
                Publication.state == S.SCHEDULED,
                Publication.due_at <= now,
                Publication.next_at <= now,
                Publication.closes_at >= now,
                ChannelAccount.status.not_in(("held", "new")),
            )
            .order_by(Publication.due_at, Publication.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=Publication)
        ).all()
        for publication in due:
            move_publication(publication, S.CLAIMED)
            publication.owner = owner
            publication.fence += 1
            publication.lease_until = now + services.settings.timings.lease
            claims.append(Claim(publication_id=publication.id, fence=publication.fence))
        session.flush()
        _tell("C1a", claims)
    _tell("C1b", claims)
    return claims


def _tell(point: str, claims: list[Claim]) -> None:
    for claim in claims:
        reached(point, claim.publication_id)


def _anything_due(services: Services, *, now: datetime) -> bool:
    due = select(Publication.id).where(
        Publication.state == S.SCHEDULED, Publication.due_at <= now, Publication.next_at <= now
    )
    with services.db.read() as session:
        return session.scalars(due.limit(1)).first() is not None


def held_row(session: Session, claim: Claim) -> Publication | None:
    """The publication, locked, while this claim still owns it."""
    publication = publication_for_update(session, claim.publication_id)
    owned = publication is not None and publication.fence == claim.fence and publication.state in (S.CLAIMED, S.SENDING)
    return publication if owned else None


def _miss_late(services: Services, *, now: datetime) -> None:
    """Close what could not be sent within its approved window: only a fresh yes sends it now."""
    late = select(Publication.id).where(
        Publication.state == S.SCHEDULED,
        Publication.due_at < now,  # always so where its window is over; this half has an index
        Publication.closes_at < now,
    )
    with services.db.read() as session:
        ids = session.scalars(late).all()
    for publication_id in ids:
        with services.step() as session:
            publication = publication_for_update(session, publication_id)
            if publication is None or publication.state != S.SCHEDULED or publication.closes_at >= now:
                continue
            move_publication(publication, S.MISSED)
            # what kept it from being sent, where that is known
            why = _STOPPED if sending_stopped(session) else publication.problem if publication.fence else ""
            publication.problem = f"{_MISSED} {why}".strip()
            body = {"publication": publication.id, "version": publication.version_id}
            ledger.append(session, at=now, kind="missed", body=body)
            settle(session, session.get_one(Post, session.get_one(Version, publication.version_id).post_id))
            ended(session, publication, kind="missed", sentence=_MISSED, now=now)
