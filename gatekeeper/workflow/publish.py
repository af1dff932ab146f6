"""Publishing: claim, last gate with a durable intent, one wire call, record.

    scheduled --claim--> claimed --intent--> sending --answer--> published
        ^                   |                   |-- certainly not sent --> scheduled (later) or failed
        |<--lease ran out---+                   +-- anything unclear ----> unknown (see reconcile)

Why nothing goes out twice: an attempt is committed before a byte leaves, under a fence that only one process holds;
a process past its lease is killed by the kernel before it can send (`guard`); and whatever is unclear is looked up,
never repeated. Why nothing goes out unapproved: the gate is asked in the transaction that writes the attempt down.
"""

import hashlib
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from approvals import decisions, ledger
from approvals.errors import LedgerBroken
from approvals.tables import Decision
from gatekeeper.channels.base import Channel, Deadline, MediaItem, PublishedPost, RenderedPost
from gatekeeper.channels.errors import (
    ChannelBusy,
    ChannelError,
    ChannelRefused,
    ContentRejected,
    NotSent,
)
from gatekeeper.clock import london
from gatekeeper.errors import GatekeeperError
from gatekeeper.log import place_of
from gatekeeper.policy.gate import GateClosed, GateFacts, check_can_publish
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.digest import Content, digest_of
from gatekeeper.posts.media import MediaDamaged
from gatekeeper.posts.model import Attempt, ChannelAccount, Post, Publication, Version
from gatekeeper.posts.repository import move_publication, publication_for_update
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow import incident
from gatekeeper.workflow.change import settle
from gatekeeper.workflow.facts import photos_against
from gatekeeper.workflow.outcome import ended, record_published
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

#: arms a kernel timer for so many seconds; past them the process dies before it can send
Guard = Callable[[float], AbstractContextManager[None]]

_WIRE_MARGIN = timedelta(seconds=5)
_HELD_PAUSE = timedelta(seconds=60)
_MAX_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right of one process to send one publication until its lease runs out."""

    publication_id: int
    fence: int


class LostClaim(GatekeeperError):
    """Somebody else holds the publication now, or it was cancelled: this process must not touch it."""


class NotNow(GatekeeperError):
    """The channel is held: the publication keeps its place and is asked again later."""


def claim_due(services: Services, *, owner: str, limit: int = 10) -> list[Claim]:
    """Take what is due, oldest first, for one lease. What is past its window becomes *missed* instead."""
    now = services.clock.now()
    _miss_late(services, now=now)
    claims: list[Claim] = []
    with services.step() as session:
        due = session.scalars(
            select(Publication)
            .where(
                Publication.state == S.SCHEDULED,
                Publication.due_at <= now,
                Publication.next_at <= now,
                Publication.closes_at >= now,
            )
            .order_by(Publication.due_at, Publication.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        for publication in due:
            move_publication(publication, S.CLAIMED)
            publication.owner = owner
            publication.fence += 1
            publication.lease_until = now + services.settings.timings.lease
            claims.append(Claim(publication_id=publication.id, fence=publication.fence))
    return claims


def publish(services: Services, claim: Claim, *, guard: Guard) -> None:
    """Carry one claimed publication to an answer that is written down. Never raises for what a platform did."""
    try:
        prepared = _prepare(services, claim)
        handles = [
            prepared.channel.upload_media(item, deadline=_deadline(services)) for item in prepared.media
        ]  # cannot publish by itself; the gate was asked once before, so that no withdrawn picture leaves the school
        lease_until = _intent(services, claim, prepared)
    except LostClaim:
        log.info("publication %d: the claim is gone", claim.publication_id)
        return
    except NotNow:
        _put_back(services, claim, pause=_HELD_PAUSE, problem="The channel is held, or being checked.")
        return
    except (GateClosed, MediaDamaged) as closed:
        sentence = (
            str(closed) if isinstance(closed, GateClosed) else "A photo's bytes are not those that were approved."
        )
        _fail(services, claim, sentence=sentence, kind="gate_closed")
        incident.at_publication(services, claim.publication_id)
        return
    except ChannelError as error:
        _not_sent(services, claim, error)
        return
    except Exception as error:  # noqa: BLE001 - nothing was sent yet, the intent was not written: back in line
        log.error("publication %d: %s before the intent", claim.publication_id, place_of(error))  # noqa: TRY400 - the text may quote the post
        _put_back(services, claim, pause=_HELD_PAUSE, problem="A fault before sending; it will be tried again.")
        return
    left = min(lease_until - services.clock.now(), services.settings.timings.lease).total_seconds()
    try:
        with guard(left):
            _check_in_time(services, prepared, lease_until)
            done = prepared.channel.create_post(prepared.post, handles, deadline=_deadline(services))
    except (ChannelBusy, ChannelRefused) as error:
        _not_sent(services, claim, error)
    except Exception as error:  # noqa: BLE001 - whatever it was, the post may be public: look it up
        _unclear(services, claim, error)
    else:
        _record(services, claim, done)


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """What is about to be sent: the very buffers that the gate hashed."""

    channel: Channel
    post: RenderedPost
    media: tuple[MediaItem, ...]
    hashes: tuple[str, ...]


def _prepare(services: Services, claim: Claim) -> _Prepared:
    """Read the bytes into memory once, ask the gate, and build the channel."""
    with services.db.read() as session:
        _, version, account = _rows(session, claim, lock=False)
        content = Content.from_canonical(version.canonical)
    media = tuple(
        MediaItem(data=services.media.read(photo.sha256), mime="image/jpeg", alt=photo.alt) for photo in content.photos
    )
    hashes = tuple(hashlib.sha256(item.data).hexdigest() for item in media)
    with services.db.read() as session:
        publication, version, account = _rows(session, claim, lock=False)
        _ask_gate(session, publication, version, account, hashes=hashes, now=services.clock.now())
    if services.channel_for is None:
        raise NotNow("This process holds no keys.")
    channel = services.channel_for(account)
    return _Prepared(channel=channel, post=RenderedPost(content.text), media=media, hashes=hashes)


def _rows(session: Session, claim: Claim, *, lock: bool) -> tuple[Publication, Version, ChannelAccount]:
    publication = (
        publication_for_update(session, claim.publication_id)
        if lock
        else session.get(Publication, claim.publication_id)
    )
    if publication is None or publication.state != S.CLAIMED or publication.fence != claim.fence:
        raise LostClaim("The claim is gone.")
    version = session.get_one(Version, publication.version_id)
    account = session.get_one(ChannelAccount, publication.account_id)
    return publication, version, account


def _ask_gate(
    session: Session,
    publication: Publication,
    version: Version,
    account: ChannelAccount,
    *,
    hashes: tuple[str, ...],
    now: datetime,
    keep: bool = False,
) -> None:
    if account.status == "held" or (
        account.status == "new" and account.declared_own
    ):  # new: its keys are being checked
        raise NotNow(account.held_reason or "The channel's keys are being checked.")
    content = Content.from_canonical(version.canonical)
    post = session.get_one(Post, version.post_id)
    decision = session.get(Decision, publication.decision_id)
    decided_account = {channel.account_id: channel.remote_id for channel in content.channels}.get(account.id)
    check_can_publish(
        GateFacts(
            now=now,
            due=publication.due_at,
            closes=publication.closes_at,
            digest_stored=digest_of(version.canonical),
            digest_version=version.digest,
            digest_publication=publication.digest,
            digest_decided=decision.digest if decision else None,
            verdict=decision.verdict if decision else None,
            decision_in_force=decision is not None and _in_force(session, decision, keep=keep),
            approver_is_author=decision is not None and decision.approver_id == post.author_id,
            is_current_version=post.version_id == version.id and post.revision == version.revision,
            photos_decided=[photo.sha256 for photo in content.photos],
            photos_in_hand=hashes,
            account_decided=decided_account,
            account_now=account.remote_id,
            channel_declared_own=account.status == "open" and account.declared_own,
            faces_against=photos_against(session, post, kinds=[account.kind], today=london(now).date()),
        )
    )


def _in_force(session: Session, decision: Decision, *, keep: bool) -> bool:
    """Whether the approval still holds and stands in the ledger as it was written."""
    try:
        return decisions.is_in_force(session, decision.id, keep=keep)
    except LedgerBroken:
        log.critical("decision %s does not agree with the ledger", decision.id)
        return False


def _intent(services: Services, claim: Claim, prepared: _Prepared) -> datetime:
    """Ask the gate for the last time and commit the attempt; returns when the lease ends."""
    with services.step() as session:
        publication, version, account = _rows(session, claim, lock=True)
        now = services.clock.now()
        timings = services.settings.timings
        if publication.lease_until is None or publication.lease_until - now < _needed(services):
            raise LostClaim("Too little of the lease is left to send safely.")
        _ask_gate(session, publication, version, account, hashes=prepared.hashes, now=now, keep=True)
        move_publication(publication, S.SENDING)
        publication.sent_at = now
        publication.lease_until = now + timings.lease
        publication.reads = 0
        session.add(Attempt(publication_id=publication.id, fence=claim.fence, started_at=now, digest=version.digest))
        return publication.lease_until


def _check_in_time(services: Services, prepared: _Prepared, lease_until: datetime) -> None:
    """Asked once the timer runs: a process frozen between reading the clock and arming it would have too long a timer.

    Raises:
        NotSent: too little of the lease is left. Not a byte has left.
    """
    if lease_until - services.clock.now() < _needed(services):
        detail = "the process was held up before sending"
        raise NotSent(platform=label_of(prepared.channel.kind), operation="create_post", detail=detail)


def _needed(services: Services) -> timedelta:
    timings = services.settings.timings
    return min(timedelta(seconds=timings.wire) + _WIRE_MARGIN, timings.lease / 2)


def _deadline(services: Services) -> Deadline:
    return Deadline.after(services.clock.now(), services.settings.timings.wire)


def _held_row(session: Session, claim: Claim) -> Publication | None:
    """The publication, locked, while this claim still owns it."""
    publication = publication_for_update(session, claim.publication_id)
    owned = publication is not None and publication.fence == claim.fence and publication.state in (S.CLAIMED, S.SENDING)
    return publication if owned else None


def _end_attempt(session: Session, claim: Claim, *, outcome: str, detail: str, now: datetime) -> None:
    session.execute(
        update(Attempt)
        .where(Attempt.publication_id == claim.publication_id, Attempt.fence == claim.fence)
        .values(ended_at=now, outcome=outcome, detail=detail)
    )


def _record(services: Services, claim: Claim, done: PublishedPost) -> None:
    now = services.clock.now()
    with services.step() as session:
        publication = _held_row(session, claim)
        if publication is None:  # the lease was lost after the answer: reconciling will find the post
            return
        _end_attempt(session, claim, outcome="published", detail="", now=now)
        record_published(session, publication, remote_id=done.id, permalink=done.permalink, how="answer", now=now)


def _unclear(services: Services, claim: Claim, error: Exception) -> None:
    now = services.clock.now()
    log.warning("publication %d: unclear answer (%s)", claim.publication_id, type(error).__name__)
    with services.step() as session:
        publication = _held_row(session, claim)
        if publication is None:
            return
        detail = error.detail if isinstance(error, ChannelError) else type(error).__name__
        _end_attempt(session, claim, outcome="unknown", detail=detail, now=now)
        move_publication(publication, S.UNKNOWN)
        publication.problem = str(error) if isinstance(error, ChannelError) else "The platform's answer is not clear."
        publication.next_at = (publication.sent_at or now) + services.settings.timings.reads[0]
        publication.lease_until = None


def _not_sent(services: Services, claim: Claim, error: ChannelError) -> None:
    """The platform certainly did not take it: later again, hold the channel, or back to a person."""
    if isinstance(error, ContentRejected):
        _fail(services, claim, sentence=str(error), kind="rejected")
        return
    now = services.clock.now()
    with services.step() as session:
        publication = _held_row(session, claim)
        if publication is None:
            return
        _end_attempt(session, claim, outcome="not_sent", detail=error.detail, now=now)
        move_publication(publication, S.SCHEDULED)
        publication.problem = str(error)
        publication.lease_until = None
        pause = min(_MAX_PAUSE, timedelta(seconds=10) * 2 ** min(publication.fence, 6))
        publication.next_at = max(now + pause, error.retry_at or now)
        if isinstance(error, ChannelRefused):
            account = session.get_one(ChannelAccount, publication.account_id)
            account.status, account.held_reason = "held", str(error)
            ledger.append(
                session, at=now, kind="channel_held", body={"account": account.id, "why": type(error).__name__}
            )
            ended(session, publication, kind="channel_held", sentence=str(error), now=now)


def _put_back(services: Services, claim: Claim, *, pause: timedelta, problem: str) -> None:
    now = services.clock.now()
    with services.step() as session:
        publication = _held_row(session, claim)
        if publication is not None and publication.state == S.CLAIMED:
            move_publication(publication, S.SCHEDULED)
            publication.problem, publication.next_at, publication.lease_until = problem, now + pause, None


def _fail(services: Services, claim: Claim, *, sentence: str, kind: str) -> None:
    now = services.clock.now()
    with services.step() as session:
        publication = _held_row(session, claim)
        if publication is None:
            return
        _end_attempt(session, claim, outcome=kind, detail="", now=now)
        move_publication(publication, S.FAILED)
        publication.problem, publication.lease_until = sentence, None
        ledger.append(
            session,
            at=now,
            kind="publication_failed",
            body={"publication": publication.id, "version": publication.version_id, "why": kind},
        )
        settle(session, session.get_one(Post, session.get_one(Version, publication.version_id).post_id))
        ended(session, publication, kind="not_sent", sentence=sentence, now=now)


def _miss_late(services: Services, *, now: datetime) -> None:
    """Close what could not be sent within its approved window: only a fresh yes sends it now."""
    late = select(Publication.id).where(Publication.state == S.SCHEDULED, Publication.closes_at < now)
    with services.db.read() as session:
        ids = session.scalars(late).all()
    for publication_id in ids:
        with services.step() as session:
            publication = publication_for_update(session, publication_id)
            if publication is None or publication.state != S.SCHEDULED or publication.closes_at >= now:
                continue
            move_publication(publication, S.MISSED)
            publication.problem = "Its approved window passed before it could be sent."
            body = {"publication": publication.id, "version": publication.version_id}
            ledger.append(session, at=now, kind="missed", body=body)
            settle(session, session.get_one(Post, session.get_one(Version, publication.version_id).post_id))
            ended(session, publication, kind="missed", sentence=publication.problem, now=now)
