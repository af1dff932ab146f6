"""Publishing: claim, last gate with a durable intent, one wire call, record.

    scheduled --claim--> claimed --intent--> sending --answer--> published
        ^                   |                   |-- certainly not sent --> scheduled (later) or failed
        |<--lease ran out---+                   +-- anything unclear ----> unknown (see reconcile)

Why nothing goes out twice: an attempt is committed before a byte leaves, under a fence that only one process holds;
a process past its lease is killed by the kernel before it can send (`guard`); and whatever is unclear is looked up,
never repeated. Why nothing goes out unapproved: the gate is asked in the transaction that writes the attempt down.

Where one post follows the other, the answer to the first is written down in the transaction that writes the second's
intent. Both become durable together, before the second one's first byte leaves: a crash before that leaves the first
one *sending*, to be looked up, and the second one untouched; at no moment are two in doubt.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gatekeeper.channels.base import Channel, Deadline, MediaHandle, MediaItem, PublishedPost, RenderedPost
from gatekeeper.channels.errors import ChannelBusy, ChannelError, ChannelRefused, NotSent
from gatekeeper.errors import GatekeeperError, SettingsError
from gatekeeper.log import place_of
from gatekeeper.policy.gate import GateClosed
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.digest import Content
from gatekeeper.posts.media import MediaDamaged
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow import attempt, in_hand, incident, setback
from gatekeeper.workflow.claim import Claim, LostClaim, give_back
from gatekeeper.workflow.crash_points import reached
from gatekeeper.workflow.in_hand import InHand, Text
from gatekeeper.workflow.last_gate import NotNow, ask_gate
from gatekeeper.workflow.limits_seen import check_may_publish
from gatekeeper.workflow.outcome import write_published
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.stopped import sending_stopped

log = logging.getLogger(__name__)

#: arms a kernel timer for so many seconds; past them the process dies before it can send
Guard = Callable[[float], AbstractContextManager[None]]

_WIRE_MARGIN = timedelta(seconds=5)
_OTHER_KEYS = "The channel's keys were renewed while it was got ready."
_NOT_APPROVED = "The content is not what the headteacher approved."


def publish(services: Services, claim: Claim, *, guard: Guard) -> None:
    """Carry one claimed publication to an answer that is written down. Never raises for what a platform did."""
    publish_all(services, [claim], guard=guard)


def publish_all(
    services: Services, claims: Sequence[Claim], *, guard: Guard, go_on: Callable[[], bool] = lambda: True
) -> None:
    """The same for several, one after the other. What is left when `go_on` says no is given back, and not begun."""
    with services.db.read() as session:
        line = _Line(services, guard, in_hand.texts(session, [claim.publication_id for claim in claims]))
    left = list(claims)
    try:
        while left and (len(left) == len(claims) or go_on()):
            line.send(left.pop(0))
        line.write_down()
    except Exception:
        with suppress(SQLAlchemyError):
            give_back(services, left)
        raise
    give_back(services, left)


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """What is about to be sent: the very buffers that the gate hashed."""

    channel: Channel
    sealed: str | None  # the keys with which it speaks
    canonical: str
    post: RenderedPost
    media: tuple[MediaItem, ...]
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class _Answered:
    """A post that the platform took, and what it said."""

    claim: Claim
    sent: InHand
    done: PublishedPost


@dataclass
class _Line:
    """Sends one claimed publication after the other; at most one answer waits to be written down."""

    services: Services
    guard: Guard
    texts: Mapping[int, Text]
    _answered: _Answered | None = field(default=None, init=False)

    def send(self, claim: Claim) -> None:
        """Carry a publication to its answer. A good one is written down with the next intent, or by `write_down`."""
        services = self.services
        try:
            prepared = self._prepare(claim)
            handles = [self._upload(claim, prepared, item) for item in prepared.media]
            sent, lease_until = self._intent(claim, prepared)
        except Exception as error:  # noqa: BLE001 - nothing of this one was sent yet, the intent was not written
            self.write_down()
            self._not_begun(claim, error)
            return
        reached("C2b", claim.publication_id)
        left = min(lease_until - services.clock.now(), services.settings.timings.lease).total_seconds()
        try:
            with self.guard(left):
                self._check_in_time(prepared, lease_until)
                done = prepared.channel.create_post(prepared.post, handles, deadline=_deadline(services))
        except (ChannelBusy, ChannelRefused) as error:
            setback.not_sent(services, claim, error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the post may be public: look it up
            setback.unclear(services, claim, error)
        else:
            reached("C5", claim.publication_id)
            self._answered = _Answered(claim, sent, done)

    def write_down(self) -> None:
        """Write the last answer down, where one waits for it."""
        if self._answered is None:
            return
        answered = self._answered
        with self.services.step() as session:
            in_hand.lock(session, answered.sent.id)
            written = _record(session, answered, now=self.services.clock.now())
        self._answered = None  # only now: what a fault of the database left unwritten is written at the next chance
        if written:
            reached("C6b", answered.sent.id)

    def _prepare(self, claim: Claim) -> _Prepared:
        """Read the bytes into memory once, ask the gate before any picture leaves, and build the channel."""
        services = self.services
        if services.channel_for is None:
            raise SettingsError("This process holds no keys.")
        text = self.texts[claim.publication_id]
        content = _content_of(text)
        if content.photos:
            self.write_down()  # what follows takes its time
        media = tuple(
            MediaItem(data=services.media.read(photo.sha256), mime="image/jpeg", alt=photo.alt)
            for photo in content.photos
        )
        hashes = tuple(hashlib.sha256(item.data).hexdigest() for item in media)
        if media:  # they leave before the intent; where there are none, nothing does before it has asked the same
            with services.db.begin() as session:  # which carries the ledger's key, so that no forged entry is believed
                ask_gate(session, _owned(session, claim), hashes=hashes, now=services.clock.now())
        channel = services.channel_for(text.account)
        check_may_publish(channel)  # the platform may have asked another process to wait
        return _Prepared(
            channel=channel,
            sealed=text.account.sealed,
            canonical=text.canonical,
            post=RenderedPost(content.text_for(text.account.id)),
            media=media,
            hashes=hashes,
        )

    def _upload(self, claim: Claim, prepared: _Prepared, item: MediaItem) -> MediaHandle:
        """Hand over one picture. It cannot publish, and the gate was asked: no withdrawn picture leaves the school.

        A slow line is given the time it needs: where what is left of the lease would not do for this picture and the
        post after it, the lease begins anew.
        """
        services, timings = self.services, self.services.settings.timings
        with services.db.read() as session:
            lease_until = _owned(session, claim).lease_until
        now = services.clock.now()
        if lease_until is None or lease_until - now < _needed(services) + timedelta(seconds=timings.wire):
            with services.step() as session:
                attempt.renew(session, claim, lease_until=now + timings.lease)
        return prepared.channel.upload_media(item, deadline=_deadline(services))

    def _intent(self, claim: Claim, prepared: _Prepared) -> tuple[InHand, datetime]:
        """Ask the gate for the last time and commit the attempt; returns what it is of, and when the lease ends.

        The answer that waits is written down first. A gate that says no has written nothing, so that what it says is
        raised when the answer is durable.
        """
        services, answered = self.services, self._answered
        refused: Exception | None = None
        with services.step() as session:
            in_hand.lock(session, claim.publication_id, *([answered.sent.id] if answered else []))
            now = services.clock.now()
            lease_until = now + services.settings.timings.lease
            if answered:
                _record(session, answered, now=now)
            try:
                wanted = self._ask(session, claim, prepared, now=now)
            except (LostClaim, NotNow, GateClosed) as no:
                refused = no
            else:
                attempt.begin(session, claim, digest=wanted.version_digest, now=now, lease_until=lease_until)
                reached("C2a", claim.publication_id)
        self._answered = None
        if refused:
            raise refused
        return wanted, lease_until

    def _ask(self, session: Session, claim: Claim, prepared: _Prepared, *, now: datetime) -> InHand:
        wanted = _owned(session, claim)
        if wanted.lease_until is None or wanted.lease_until - now < _needed(self.services):
            raise LostClaim("Too little of the lease is left to send safely.")
        if wanted.canonical != prepared.canonical:
            raise GateClosed([_NOT_APPROVED])
        if wanted.account_sealed != prepared.sealed:
            raise NotNow(_OTHER_KEYS)
        ask_gate(session, wanted, hashes=prepared.hashes, now=now, keep=True)
        return wanted

    def _check_in_time(self, prepared: _Prepared, lease_until: datetime) -> None:
        """Asked once the timer runs: a process frozen between reading the clock and arming it would have too long a timer.

        Raises:
            NotSent: too little of the lease is left, or sending was stopped meanwhile. Not a byte has left.
        """
        services = self.services
        in_time = lease_until - services.clock.now() >= _needed(services)
        detail = "" if in_time else "the process was held up before sending"
        try:
            with services.db.glance() as connection:
                detail = detail or sending_stopped(connection)  # pressed since the intent: not a byte has left yet
        except SQLAlchemyError:
            detail = "the database could not be read"
        if detail:
            raise NotSent(platform=label_of(prepared.channel.kind), operation="create_post", detail=detail)

    def _not_begun(self, claim: Claim, error: Exception) -> None:
        """Nothing of it left, and no intent was written: it goes back in line, or fails at the gate."""
        services = self.services
        if isinstance(error, LostClaim):
            log.info("publication %d: the claim is gone", claim.publication_id)
        elif isinstance(error, NotNow):  # no claim is given before it is free again
            setback.put_back(services, claim, pause=timedelta(0), problem=str(error))
        elif isinstance(error, GateClosed | MediaDamaged):
            damaged = "A photo's bytes are not those that were approved."
            sentence = str(error) if isinstance(error, GateClosed) else damaged
            setback.failed(services, claim, sentence=sentence, kind="gate_closed")
            incident.at_publication(services, claim.publication_id)
        elif isinstance(error, ChannelError):
            setback.not_sent(services, claim, error)
        else:
            log.error(
                "publication %d: %s before the intent", claim.publication_id, place_of(error)
            )  # the text may quote the post
            setback.put_back(
                services,
                claim,
                pause=services.settings.timings.lease,
                problem="A fault before sending; it will be tried again.",
            )


def _content_of(text: Text) -> Content:
    try:
        return text.content
    except (GatekeeperError, LookupError, TypeError, ValueError):  # erased, or not written by us
        raise GateClosed([_NOT_APPROVED]) from None


def _owned(session: Session, claim: Claim) -> InHand:
    wanted = in_hand.look(session, claim.publication_id)
    if wanted is None or wanted.state != S.CLAIMED or wanted.fence != claim.fence:
        raise LostClaim("The claim is gone.")
    return wanted


def _record(session: Session, answered: _Answered, *, now: datetime) -> bool:
    """Write the answer down. Not where the lease was lost after it: reconciling will find the post."""
    done = answered.done
    if not write_published(
        session, answered.sent, before=S.SENDING, remote_id=done.id, permalink=done.permalink, how="answer", now=now
    ):
        return False
    attempt.end(session, answered.claim, outcome="published", now=now)
    reached("C6a", answered.sent.id)
    return True


def _needed(services: Services) -> timedelta:
    timings = services.settings.timings
    return min(timedelta(seconds=timings.wire) + _WIRE_MARGIN, timings.lease / 2)


def _deadline(services: Services) -> Deadline:
    return Deadline.after(services.clock.now(), services.settings.timings.wire)
