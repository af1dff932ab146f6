"""Orders the removal of a post from one channel, and keeps at it until there is an end.

    waiting    the publication is on its way; as soon as its fate is known, the removal follows it
    ordered    the platform is asked, again and again, until a reading shows that the post is gone
    by_hand    the platform does not do it for us; a person does, and says so
    gone, never_public: the two ends

A removal is never held up: neither by the emergency stop nor by a held channel. While one stands, the last gate lets
nothing of that publication out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper import jobs
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.staff import record
from gatekeeper.posts.model import Post, Publication, Version
from gatekeeper.posts.public import Takedown, TakedownState
from gatekeeper.posts.repository import move_publication, publication_for_update, publications_of
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.workflow.change import settle, stop_waiting
from gatekeeper.workflow.published_mail import tell_if_all_ended
from gatekeeper.workflow.review_progress import removal_ended, removal_ordered

#: why a post is taken down -> the word for it
WHY: Final = {
    "consent": "Consent",
    "request": "Somebody asked for it",
    "incident": "It is not what was approved",
    "mistake": "A mistake",
}
STANDING: Final = (TakedownState.WAITING, TakedownState.ORDERED, TakedownState.BY_HAND)
CANCELLED: Final = "It was ordered to be taken down before it was sent."

_S = PublicationState
_NOT_BEGUN: Final = frozenset({_S.SCHEDULED, _S.CLAIMED})
_NEVER: Final = frozenset({_S.FAILED, _S.MISSED, _S.CANCELLED})


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why, in whose name, and what it belongs to."""

    why: str
    words: str
    by: int | None
    incident_id: int | None = None
    case_id: int | None = None


@dataclass(frozen=True)
class _Target:
    """The post that is to go, by what is known of it."""

    account_id: int
    publication_id: int | None
    remote_id: str | None


def order(
    session: Session,
    *,
    account_id: int,
    publication_id: int | None = None,
    remote_id: str | None = None,
    why: str,
    words: str,
    by: int | None,
    now: datetime,
    incident_id: int | None = None,
    case_id: int | None = None,
) -> int:
    """Order the removal of one post from one account in the caller's transaction; returns the removal's id.

    An open removal of the same post is joined. What has not begun is cancelled at once; what is on its way is waited
    for; what is public is ordered to be removed. A caller who orders several locks their posts first, in the order of
    their ids.

    Args:
        session: the caller's transaction.
        account_id: the account it stands on.
        publication_id: our publication, where it is one of ours.
        remote_id: the platform's number of it, where it is none of ours, or an edit of one.
        why: one of `WHY`.
        words: the reason as a person gave it.
        by: who ordered it; None where a rule did.
        now: the moment.
        incident_id: the incident that it ends.
        case_id: the case that it belongs to.

    Raises:
        BadInput: no such reason, or nothing that names a post.
        NotFound: there is no such publication on this account.
    """
    if why not in WHY:
        raise BadInput("Please say why.", fields={"why": "Please say why."})
    if publication_id is None and not remote_id:
        raise BadInput("Which post is to be taken down?")
    reason = Reason(why=why, words=words.strip(), by=by, incident_id=incident_id, case_id=case_id)
    if publication_id is None:
        publication_id = session.scalars(
            select(Publication.id).where(Publication.account_id == account_id, Publication.remote_id == remote_id)
        ).first()
    if publication_id is None:
        ledger.hold(session)  # two who order at once: the second sees the first's
        target = _Target(account_id, None, remote_id)
        return _standing(session, target, reason) or _new(session, target, TakedownState.ORDERED, reason, now=now)
    publication = publication_for_update(session, publication_id)
    if publication is None or publication.account_id != account_id:
        raise NotFound("There is no such post on this channel.")
    target = _Target(account_id, publication.id, remote_id or publication.remote_id)
    return _standing(session, target, reason) or _new(session, target, TakedownState.WAITING, reason, now=now)


def stands(session: Session, publication_id: int) -> bool:
    """Whether a removal of this publication is open: then it may neither be published nor sent again."""
    open_one = select(Takedown.id).where(Takedown.publication_id == publication_id, Takedown.state.in_(STANDING))
    return session.scalars(open_one.limit(1)).first() is not None


def follow(session: Session, publication: Publication, *, now: datetime) -> None:
    """Let the removal that waits for this publication, if one does, do what its state now calls for.

    The publication is locked by the caller. Nothing happens while its fate is not known.
    """
    waiting = session.scalars(
        select(Takedown)
        .where(Takedown.publication_id == publication.id, Takedown.state == TakedownState.WAITING)
        .with_for_update()
    ).first()
    if waiting is not None:
        _follow(session, waiting, publication, now=now)


def follow_waiting(session: Session, takedown_id: int, *, now: datetime) -> None:
    """The same for one removal that waits; part of the sweep."""
    publication_id = session.scalars(
        select(Takedown.publication_id).where(Takedown.id == takedown_id, Takedown.state == TakedownState.WAITING)
    ).first()
    if publication_id is not None:
        publication = publication_for_update(session, publication_id)
        if publication is not None:
            follow(session, publication, now=now)


def try_now(session: Session, one: Takedown, *, now: datetime) -> None:
    """Have the platform asked at once, also where that had been given to a person. The caller has locked the row.

    Raises:
        Conflict: it is over, or nobody knows yet what there is to remove.
    """
    if one.state not in (TakedownState.ORDERED, TakedownState.BY_HAND):
        raise Conflict("This removal is over, or nobody knows yet what there is to remove.")
    one.state, one.next_at = TakedownState.ORDERED, now
    session.flush()
    jobs.order(session, jobs.TAKEDOWN, one.id, now=now)


def never_public(session: Session, takedown: Takedown, *, now: datetime) -> None:
    """There is nothing to remove: the publication lost the race."""
    takedown.state, takedown.problem = TakedownState.NEVER_PUBLIC, ""
    body = {"takedown": takedown.id, "account": takedown.account_id, "publication": takedown.publication_id}
    ledger.append(session, at=now, kind="takedown.never_public", body=body)
    removal_ended(session, takedown, by=None, now=now, end="held")


def _standing(session: Session, target: _Target, reason: Reason) -> int | None:
    """The open removal of the same post, told of what else it is for."""
    same = [Takedown.remote_id == target.remote_id] if target.remote_id else []
    same += [Takedown.publication_id == target.publication_id] if target.publication_id is not None else []
    found = session.scalars(
        select(Takedown)
        .where(Takedown.account_id == target.account_id, Takedown.state.in_(STANDING), or_(*same))
        .order_by(Takedown.publication_id.is_(None), Takedown.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        return None
    found.publication_id = found.publication_id or target.publication_id
    found.incident_id = found.incident_id or reason.incident_id
    found.case_id = found.case_id or reason.case_id
    return found.id


def _new(session: Session, target: _Target, state: TakedownState, reason: Reason, *, now: datetime) -> int:
    one = Takedown(
        **vars(target), incident_id=reason.incident_id, case_id=reason.case_id, why=reason.why, words=reason.words,
        asked_by=reason.by, asked_at=now, state=state, next_at=now,
    )  # fmt: skip
    session.add(one)
    session.flush()
    body = {
        "takedown": one.id, "account": one.account_id, "publication": one.publication_id, "remote_id": one.remote_id,
        "why": reason.why, "by": reason.by, "incident": reason.incident_id, "case": reason.case_id,
    }  # fmt: skip
    ledger.append(session, at=now, kind="takedown.ordered", body=body)
    record(session, at=now, staff_id=reason.by, action="takedown.ordered", subject=f"takedown:{one.id}", detail=body)
    removal_ordered(session, one)
    if target.publication_id is None:
        jobs.order(session, jobs.TAKEDOWN, one.id, now=now)
    else:
        _follow(session, one, session.get_one(Publication, target.publication_id), now=now)
    return one.id


def _follow(session: Session, one: Takedown, publication: Publication, *, now: datetime) -> None:
    state = PublicationState(publication.state)
    if state in _NOT_BEGUN:
        _cancel(session, publication, by=one.asked_by, now=now)
        never_public(session, one, now=now)
    elif state in _NEVER:
        never_public(session, one, now=now)
    elif state is _S.PUBLISHED and not _removed_otherwise(session, one, publication):
        one.remote_id = one.remote_id or publication.remote_id
        one.state, one.next_at = TakedownState.ORDERED, now
        session.flush()
        jobs.order(session, jobs.TAKEDOWN, one.id, now=now)


def _removed_otherwise(session: Session, one: Takedown, publication: Publication) -> bool:
    """Whether the same post is being removed by the number that the platform gave it: this one then waits for that."""
    same = select(Takedown.id).where(
        Takedown.account_id == one.account_id,
        Takedown.remote_id == (one.remote_id or publication.remote_id),
        Takedown.id != one.id,
        Takedown.state.in_(STANDING),
    )
    return session.scalars(same.limit(1)).first() is not None


def _cancel(session: Session, publication: Publication, *, by: int | None, now: datetime) -> None:
    """Take the publication out of the line; where it was the last of its post, the approval ends with it."""
    post = session.get_one(Post, session.get_one(Version, publication.version_id).post_id)
    move_publication(publication, _S.CANCELLED)
    publication.problem, publication.lease_until = CANCELLED, None
    session.flush()
    every = {one.state for one in publications_of(session, publication.version_id)}
    if post.version_id != publication.version_id or post.state != PostState.SCHEDULED:
        return
    if every <= {_S.CANCELLED}:
        stop_waiting(session, post, by=by, now=now, reason=CANCELLED)
    else:
        settle(session, post)
        tell_if_all_ended(session, publication.version_id, now=now)
