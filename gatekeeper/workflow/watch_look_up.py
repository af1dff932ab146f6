"""Which posts are asked for by their number in one reading: ours that were not seen for a while, and what was reported.

A list proves nothing by what it leaves out; only the answer to a post's own number does. So each of our posts is asked
for now and then, the younger the more often, and each reported one until it is known to be gone. "Not there" may also
mean "not for these keys"; here it counts, because the same keys have just read the account's own list.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from gatekeeper.posts.model import Publication
from gatekeeper.posts.public import Incident, IncidentKind, RemotePublicPost, Takedown, TakedownState
from gatekeeper.posts.status import PublicationState
from gatekeeper.workflow.takedown_reopen import LINGERS
from gatekeeper.workflow.watch_ours import is_listed_name
from gatekeeper.workflow.watch_round import Round

_FREE, _PAID = 25, 3  # posts in one reading
_CONSIDERED: Final = 200
_ASKED_FOR: Final = timedelta(days=30)


@dataclass(frozen=True)
class _Due:
    """One post to ask for."""

    key: str
    publication_id: int | None
    only_there: bool = False


def look_up(done: Round, *, spare: int | None) -> None:
    """Ask for the posts that are due.

    Args:
        done: the reading, whose list has just been read.
        spare: how many more may be read where reading costs; None where it does not.
    """
    with done.services.db.read() as session:
        due = _due(session, done)
    most = _FREE if spare is None else max(0, min(_PAID, spare))
    for one in due[:most]:
        if done.is_long() or done.is_called_away():
            return  # the others come first in the next reading
        done.look_up(one.key, one.publication_id, only_there=one.only_there)


def _due(session: Session, done: Round) -> list[_Due]:
    found = (*_missing(session, done), *_said_gone(session, done), *_reported(session, done), *_ours(session, done))
    return list({one.key: one for one in found}.values())


def _missing(session: Session, done: Round) -> list[_Due]:
    """What was not there in the reading before: this one decides."""
    rows = session.scalars(
        select(RemotePublicPost)
        .where(
            RemotePublicPost.account_id == done.account.id,
            RemotePublicPost.missing_since.is_not(None),
            RemotePublicPost.missing_since < done.started,
            RemotePublicPost.gone_at.is_(None),
        )
        .limit(_FREE)
    )
    return [_Due(row.remote_id, row.publication_id) for row in rows]


def _said_gone(session: Session, done: Round) -> list[_Due]:
    """What a person says to have removed. Until the platform says so too, it is asked."""
    rows = session.execute(
        select(Takedown.remote_id, Takedown.publication_id)
        .outerjoin(
            RemotePublicPost,
            (RemotePublicPost.account_id == Takedown.account_id) & (RemotePublicPost.remote_id == Takedown.remote_id),
        )
        .where(
            Takedown.account_id == done.account.id,
            Takedown.state == TakedownState.GONE,
            Takedown.confirmed_by.is_not(None),
            Takedown.confirmed_at < done.started - LINGERS,
            Takedown.confirmed_at > done.started - _ASKED_FOR,
            RemotePublicPost.gone_at.is_(None),
        )
        .order_by(Takedown.id)
        .limit(_FREE)
    )
    return [_Due(key, ours) for key, ours in rows if key and is_listed_name(done.account.kind, key)]


def _reported(session: Session, done: Round) -> list[_Due]:
    """What was reported, is open, and was not in this reading's list."""
    rows = session.execute(
        select(RemotePublicPost, func.max(Incident.kind), func.min(Incident.kind))
        .join(
            Incident,
            (Incident.account_id == RemotePublicPost.account_id) & (Incident.remote_id == RemotePublicPost.remote_id),
        )
        .where(
            RemotePublicPost.account_id == done.account.id,
            RemotePublicPost.gone_at.is_(None),
            RemotePublicPost.seen_at < done.started,
            Incident.closed_at.is_(None),
        )
        .group_by(RemotePublicPost.id)
        .order_by(RemotePublicPost.seen_at)
        .limit(_FREE)
    )
    queued = IncidentKind.QUEUED
    age_of = done.pace.looked_up_after
    return [
        _Due(row.remote_id, row.publication_id, only_there=last == first == queued)
        for row, last, first in rows
        if done.started - row.seen_at >= age_of(done.started - row.first_seen_at)
    ]


def _ours(session: Session, done: Round) -> list[_Due]:
    """Our own posts that nobody has seen for longer than their age allows."""
    pace, now = done.pace, done.started
    last: datetime | None
    removed = select(Takedown.id).where(
        Takedown.publication_id == Publication.id, Takedown.state != TakedownState.NEVER_PUBLIC
    )
    seen = func.coalesce(RemotePublicPost.seen_at, Publication.published_at)
    rows = session.execute(
        select(Publication, RemotePublicPost)
        .outerjoin(RemotePublicPost, RemotePublicPost.publication_id == Publication.id)
        .where(
            Publication.account_id == done.account.id,
            Publication.state == PublicationState.PUBLISHED,
            Publication.published_at > now - pace.horizon,
            Publication.published_at <= now - pace.lag,
            or_(RemotePublicPost.id.is_(None), RemotePublicPost.gone_at.is_(None)),
            or_(RemotePublicPost.id.is_(None), RemotePublicPost.seen_at < now),
            ~removed.exists(),
        )
        .order_by(seen)
        .limit(_CONSIDERED)
    )
    due = []
    for publication, row in rows:
        key, last = (row.remote_id, row.seen_at) if row else (publication.remote_id or "", publication.published_at)
        assert publication.published_at is not None
        if not is_listed_name(done.account.kind, key):  # a person typed it: it may be no number a program can ask for
            continue
        if now - (last or publication.published_at) >= pace.looked_up_after(now - publication.published_at):
            due.append(_Due(key, publication.id))
    return due
