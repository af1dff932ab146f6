"""Claiming what is due: one process holds a publication under a fence until its lease runs out, or nobody does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.db.bare import table_of
from gatekeeper.errors import GatekeeperError
from gatekeeper.posts.model import ChannelAccount, Post, Publication, Version
from gatekeeper.posts.repository import move_publication, publication_for_update
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow.change import settle
from gatekeeper.workflow.crash_points import reached
from gatekeeper.workflow.outcome import ended
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.stopped import WAITS_FOR, sending_stopped

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
    with services.db.read() as session:  # most times there is nothing, and a look takes no writer's place
        if session.execute(_DUE, {"now": now, "limit": 1}).first() is None:
            return []
    with services.step() as session:
        if sending_stopped(session):
            return []
        taken = session.execute(
            _TAKE, {"now": now, "limit": limit, "owner": owner, "lease_until": now + services.settings.timings.lease}
        ).all()
        claims = [
            Claim(publication_id=row.id, fence=row.fence) for row in sorted(taken, key=lambda row: (row.due_at, row.id))
        ]
        _tell("C1a", claims)
    _tell("C1b", claims)
    return claims


_P, _A = table_of(Publication).c, table_of(ChannelAccount).c
#: in the order in which it is due; on PostgreSQL what another publisher takes at this moment is passed over
_DUE = (
    select(_P.id)
    .where(
        _P.state == S.SCHEDULED,
        _P.due_at <= bindparam("now"),
        _P.next_at <= bindparam("now"),
        _P.closes_at >= bindparam("now"),
        _P.account_id.not_in(select(_A.id).where(_A.status.in_(tuple(WAITS_FOR)))),
    )
    .order_by(_P.due_at, _P.id)
    .limit(bindparam("limit"))
)
_TAKE = (
    update(table_of(Publication))
    .where(_P.id.in_(select(_DUE.with_for_update(skip_locked=True).cte("due").c.id)), _P.state == S.SCHEDULED)
    .values(state=S.CLAIMED, owner=bindparam("owner"), fence=_P.fence + 1, lease_until=bindparam("lease_until"))
    .returning(_P.id, _P.fence, _P.due_at)
)
#: what somebody else has locked at this moment is left to them, or to its lease: nobody waits for each other in a ring
_STILL_OURS = (
    select(_P.id)
    .where(_P.id == bindparam("publication"), _P.fence == bindparam("its_fence"), _P.state == S.CLAIMED)
    .with_for_update(skip_locked=True)
)
_GIVE_BACK = update(table_of(Publication)).where(_P.id.in_(_STILL_OURS)).values(state=S.SCHEDULED, lease_until=None)
_NEXT = select(_P.due_at).where(_P.state == S.SCHEDULED, _P.due_at > bindparam("now")).order_by(_P.due_at).limit(1)


def give_back(services: Services, claims: Sequence[Claim]) -> None:
    """Put claims back in line that were not used: nothing was sent, and the fence stays where it is."""
    if not claims:
        return
    with services.step() as session:
        session.execute(_GIVE_BACK, [{"publication": one.publication_id, "its_fence": one.fence} for one in claims])


def until_next(services: Services, *, at_most: timedelta) -> timedelta:
    """How long until the next post is due, or `at_most`."""
    now = services.clock.now()
    with services.db.read() as session:
        due = session.scalar(_NEXT, {"now": now})
    return min(due - now, at_most) if due is not None else at_most


def _tell(point: str, claims: list[Claim]) -> None:
    for claim in claims:
        reached(point, claim.publication_id)


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
