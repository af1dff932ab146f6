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

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.channels.base import Channel, Deadline, MediaHandle, MediaItem, PublishedPost, RenderedPost
from gatekeeper.channels.errors import (
    ChannelBusy,
    ChannelError,
    ChannelRefused,
    ContentRejected,
    NotSent,
)
from gatekeeper.errors import SettingsError
from gatekeeper.log import place_of
from gatekeeper.policy.gate import GateClosed
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.digest import Content
from gatekeeper.posts.media import MediaDamaged
from gatekeeper.posts.model import Attempt, ChannelAccount, Post, Publication, Version
from gatekeeper.posts.repository import move_publication, publication_for_update
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow import incident
from gatekeeper.workflow.change import settle
from gatekeeper.workflow.claim import Claim, LostClaim, held_row
from gatekeeper.workflow.crash_points import reached
from gatekeeper.workflow.last_gate import NotNow, ask_gate
from gatekeeper.workflow.limits_seen import check_may_publish
from gatekeeper.workflow.outcome import ended, record_published
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.stopped import sending_stopped

log = logging.getLogger(__name__)

#: arms a kernel timer for so many seconds; past them the process dies before it can send
Guard = Callable[[float], AbstractContextManager[None]]

_WIRE_MARGIN = timedelta(seconds=5)
_DOUBLED_AT_MOST = 5  # times: from ten seconds to five minutes


def publish(services: Services, claim: Claim, *, guard: Guard) -> None:
    """Carry one claimed publication to an answer that is written down. Never raises for what a platform did."""
    try:
        prepared = _prepare(services, claim)
        handles = [_upload(services, claim, prepared, item) for item in prepared.media]
        lease_until = _intent(services, claim, prepared)
    except LostClaim:
        log.info("publication %d: the claim is gone", claim.publication_id)
        return
    except NotNow as held:
        _put_back(services, claim, pause=timedelta(0), problem=str(held))  # no claim is given before it is free again
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
        _put_back(
            services,
            claim,
            pause=services.settings.timings.lease,
            problem="A fault before sending; it will be tried again.",
        )
        return
    reached("C2b", claim.publication_id)
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
        reached("C5", claim.publication_id)
        _record(services, claim, done)


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """What is about to be sent: the very buffers that the gate hashed."""

    channel: Channel
    post: RenderedPost
    media: tuple[MediaItem, ...]
    hashes: tuple[str, ...]


def _prepare(services: Services, claim: Claim) -> _Prepared:
    """Read the bytes into memory once, ask the gate before any picture leaves, and build the channel."""
    with services.db.read() as session:
        _, version, account = _rows(session, claim, lock=False)
        content = Content.from_canonical(version.canonical)
    media = tuple(
        MediaItem(data=services.media.read(photo.sha256), mime="image/jpeg", alt=photo.alt) for photo in content.photos
    )
    hashes = tuple(hashlib.sha256(item.data).hexdigest() for item in media)
    if media:  # they leave before the intent; where there are none, nothing does before it has asked the same
        with services.db.read() as session:
            publication, version, account = _rows(session, claim, lock=False)
            ask_gate(session, publication, version, account, hashes=hashes, now=services.clock.now())
    if services.channel_for is None:
        raise SettingsError("This process holds no keys.")
    channel = services.channel_for(account)
    check_may_publish(channel)  # the platform may have asked another process to wait
    return _Prepared(channel=channel, post=RenderedPost(content.text_for(account.id)), media=media, hashes=hashes)


def _upload(services: Services, claim: Claim, prepared: _Prepared, item: MediaItem) -> MediaHandle:
    """Hand over one picture. It cannot publish, and the gate was asked: no withdrawn picture leaves the school.

    A slow line is given the time it needs: where what is left of the lease would not do for this picture and the post
    after it, the lease begins anew.
    """
    timings = services.settings.timings
    with services.db.read() as session:
        publication, _, _ = _rows(session, claim, lock=False)
        short = publication.lease_until is None or (
            publication.lease_until - services.clock.now() < _needed(services) + timedelta(seconds=timings.wire)
        )
    if short:
        with services.step() as session:
            publication, _, _ = _rows(session, claim, lock=True)
            publication.lease_until = services.clock.now() + timings.lease
    return prepared.channel.upload_media(item, deadline=_deadline(services))


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


def _intent(services: Services, claim: Claim, prepared: _Prepared) -> datetime:
    """Ask the gate for the last time and commit the attempt; returns when the lease ends."""
    with services.step() as session:
        publication, version, account = _rows(session, claim, lock=True)
        now = services.clock.now()
        timings = services.settings.timings
        if publication.lease_until is None or publication.lease_until - now < _needed(services):
            raise LostClaim("Too little of the lease is left to send safely.")
        ask_gate(session, publication, version, account, hashes=prepared.hashes, now=now, keep=True)
        move_publication(publication, S.SENDING)
        publication.sent_at = now
        publication.lease_until = now + timings.lease
        publication.reads = 0
        session.add(Attempt(publication_id=publication.id, fence=claim.fence, started_at=now, digest=version.digest))
        session.flush()
        reached("C2a", claim.publication_id)
        return publication.lease_until


def _check_in_time(services: Services, prepared: _Prepared, lease_until: datetime) -> None:
    """Asked once the timer runs: a process frozen between reading the clock and arming it would have too long a timer.

    Raises:
        NotSent: too little of the lease is left, or sending was stopped meanwhile. Not a byte has left.
    """
    detail = "" if lease_until - services.clock.now() >= _needed(services) else "the process was held up before sending"
    try:
        with services.db.read() as session:
            detail = detail or sending_stopped(session)  # pressed since the intent: not a byte has left yet
    except SQLAlchemyError:
        detail = "the database could not be read"
    if detail:
        raise NotSent(platform=label_of(prepared.channel.kind), operation="create_post", detail=detail)


def _needed(services: Services) -> timedelta:
    timings = services.settings.timings
    return min(timedelta(seconds=timings.wire) + _WIRE_MARGIN, timings.lease / 2)


def _deadline(services: Services) -> Deadline:
    return Deadline.after(services.clock.now(), services.settings.timings.wire)


def _end_attempt(session: Session, claim: Claim, *, outcome: str, detail: str, now: datetime) -> None:
    session.execute(
        update(Attempt)
        .where(Attempt.publication_id == claim.publication_id, Attempt.fence == claim.fence)
        .values(ended_at=now, outcome=outcome, detail=detail)
    )


def _record(services: Services, claim: Claim, done: PublishedPost) -> None:
    now = services.clock.now()
    with services.step() as session:
        publication = held_row(session, claim)
        if publication is None:  # the lease was lost after the answer: reconciling will find the post
            return
        _end_attempt(session, claim, outcome="published", detail="", now=now)
        record_published(session, publication, remote_id=done.id, permalink=done.permalink, how="answer", now=now)
        session.flush()
        reached("C6a", claim.publication_id)
    reached("C6b", claim.publication_id)


def _unclear(services: Services, claim: Claim, error: Exception) -> None:
    now = services.clock.now()
    log.warning("publication %d: unclear answer (%s)", claim.publication_id, type(error).__name__)
    with services.step() as session:
        publication = held_row(session, claim)
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
        publication = held_row(session, claim)
        if publication is None:
            return
        _end_attempt(session, claim, outcome="not_sent", detail=error.detail, now=now)
        move_publication(publication, S.SCHEDULED)
        publication.problem = str(error)
        publication.lease_until = None
        pause = services.settings.timings.again * 2 ** min(publication.fence - 1, _DOUBLED_AT_MOST)
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
        publication = held_row(session, claim)
        if publication is not None and publication.state == S.CLAIMED:
            move_publication(publication, S.SCHEDULED)
            publication.problem, publication.next_at, publication.lease_until = problem, now + pause, None


def _fail(services: Services, claim: Claim, *, sentence: str, kind: str) -> None:
    now = services.clock.now()
    with services.step() as session:
        publication = held_row(session, claim)
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
