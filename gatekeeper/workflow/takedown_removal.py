"""Removes one post from its platform and believes it only when a reading shows that it is gone.

The platform is asked outside any transaction. A fault is written down for whoever waits and tried again, ever more
rarely; what the platform does not do for a program is given to a person. What outlives a post is written down before
the post is removed, and each try goes on with what remains: where the process dies between the removal and its record,
the next one finds the post gone, records that and removes the rest.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import ledger
from approvals.wall_clock import when
from gatekeeper import jobs
from gatekeeper.channels.base import Channel, Deadline
from gatekeeper.channels.errors import (
    AccountRestricted,
    AuthenticationFailed,
    ChannelError,
    ContentRejected,
    NotSent,
    PermissionDenied,
    PlatformUnavailable,
    PostNotFound,
    QuotaExhausted,
    RateLimited,
    UnsupportedApiVersion,
)
from gatekeeper.errors import BadInput, Conflict, GatekeeperError, SettingsError
from gatekeeper.people.staff import Audit, record
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount, Publication
from gatekeeper.posts.public import RemotePublicPost, Takedown, TakedownState
from gatekeeper.workflow import takedown_mail
from gatekeeper.workflow.review_progress import removal_ended
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.takedown import STANDING
from gatekeeper.workflow.takedown_remaining import locked, note, strike, words_on_rest
from gatekeeper.workflow.takedown_words import with_seen
from gatekeeper.workflow.watch_ours import is_listed_name

log = logging.getLogger(__name__)

#: a post this young may be missing from a reading only because the platform is slow
_SETTLES: Final = timedelta(minutes=10)
_LOOK_AGAIN: Final = timedelta(seconds=60)
_CALLS: Final = 3  # a removal reads, removes and reads again
_LONGEST: Final = jobs.TAKEDOWN.timeout - 15  # a try ends by itself, before its job is ended; the next one goes on
_LETS_GO: Final = 3  # tries in which a platform may still hold on to a photo whose post has just gone
_SHORTEST: Final = 5

_KEYS: Final = (
    "{platform} does not accept the school's keys. An administrator has to connect the channel again; it is then "
    "removed by itself. Until then: remove it by hand on {platform} and say so here."
)
_CREDIT: Final = (
    "The school's credit with {platform} is used up, so it takes no removal either. Top it up, or remove the post by "
    "hand and say so here."
)
_RESTRICTED: Final = "{platform} has restricted the account. Sign in there, remove the post by hand and say so here."
_VERSION: Final = (
    "{platform} no longer speaks this version. An administrator has to update it. Until then: remove the post by hand "
    "and say so here."
)
_SENTENCES: Final[tuple[tuple[type[ChannelError], str], ...]] = (
    (AuthenticationFailed, _KEYS),
    (QuotaExhausted, _CREDIT),
    (AccountRestricted, _RESTRICTED),
    (UnsupportedApiVersion, _VERSION),
    (RateLimited, "{platform} asks to wait until {until}. It is then removed by itself."),
)
_BY_HAND: Final = (
    "{platform} does not let a program remove this. Open the post there while signed in as the school, remove it with "
    "all its photos, and say so here."
)
_AGAIN: Final = "{platform} did not confirm that it is gone. It is tried again."
_NO_KEYS: Final = (
    "No keys of this channel are stored any more. Sign in on {platform}, remove the post by hand and say so here."
)


_NO_NUMBER: Final = (
    "The address that was given for this post holds no number that a program can use. Open the post on {platform} while "
    "signed in as the school, remove it with all its photos, and say so here."
)
_ONLY_TYPED: Final = (
    "{platform} shows nothing under the number that was typed for this post, which may be another post's. Look there "
    "while signed in as the school, remove the post with all its photos, and say so here."
)


class NotGoneYet(GatekeeperError):
    """The post still stands, or nobody knows; it is tried again."""


def carry_out(services: Services, takedown_id: int) -> None:
    """Ask the platform once, if the removal is to be tried now, and write down what came of it.

    Raises:
        NotGoneYet: it is to be tried again; the sentence for people is written down.
        SettingsError: this process holds no keys.
    """
    with services.db.read() as session:
        one = session.get(Takedown, takedown_id)
        if one is None or one.state != TakedownState.ORDERED or one.remote_id is None:
            return
        if one.next_at > services.clock.now():
            return
        account = session.get_one(ChannelAccount, one.account_id)
        young_until = _posted_at(session, one) + _SETTLES
        only_typed = _is_only_typed(session, one)
    if services.channel_for is None:
        raise SettingsError("This process holds no keys.")
    platform = label_of(account.kind)
    channel = None
    if is_listed_name(account.kind, one.remote_id):
        with suppress(SettingsError):
            channel = services.channel_for(account)
    if channel is None:
        why = _NO_KEYS if is_listed_name(account.kind, one.remote_id) else _NO_NUMBER
        _hand_over(services, takedown_id, why.format(platform=platform))
        return
    removal = _Removal(
        services=services, channel=channel, platform=platform, takedown_id=one.id, post=one.remote_id,
        remaining=one.remaining, young_until=young_until,
    )  # fmt: skip
    try:
        removal.go_through()
    except (ContentRejected, PermissionDenied) as refused:
        log.warning("takedown %d: the platform refuses (%s)", takedown_id, type(refused).__name__)
        if removal.is_at_rest and one.tries < _LETS_GO:
            _not_yet(services, takedown_id, refused, platform=platform)
        else:
            _hand_over(services, takedown_id, _BY_HAND.format(platform=platform))
        return
    except ChannelError as error:
        _not_yet(services, takedown_id, error, platform=platform)
        return
    _believe(removal, only_typed=only_typed)


def _believe(removal: "_Removal", *, only_typed: bool) -> None:
    """Nothing of it can be read: it is gone, where that proves anything."""
    services, platform, number = removal.services, removal.platform, removal.takedown_id
    if removal.too_young:
        sentence = f"{platform} does not show it. It is so new that this may be a delay, so it is read again."
        _wait(services, number, sentence, until=services.clock.now() + _LOOK_AGAIN)
        return
    if only_typed and not removal.removed:
        _hand_over(services, number, _ONLY_TYPED.format(platform=platform))
        return
    how = "removed_and_read" if removal.removed else "read_to_be_gone"
    with services.step() as session:
        _confirm(session, number, how=how, by=None, now=services.clock.now())


@dataclass(kw_only=True)
class _Removal:
    """One try at one removal, and what came of it.

    Attributes:
        post: the platform's number of the post.
        remaining: what still has to go; None while nobody has read what belongs to the post.
        young_until: before this, that it cannot be read proves nothing.
        removed: something was removed and read to be gone.
        too_young: something could not be read, too early to believe it.
    """

    services: Services
    channel: Channel
    platform: str
    takedown_id: int
    post: str
    remaining: list[str] | None
    young_until: datetime
    removed: bool = False
    too_young: bool = False
    ends: Deadline = field(init=False)

    def go_through(self) -> None:
        """Remove the post and all that would outlive it, as far as the time allows.

        One that the platform does not remove stands in the way of no other.

        Raises:
            ChannelError: something may still be there.
        """
        self.ends = Deadline.after(self.services.clock.now(), _LONGEST)
        try:
            if self.remaining is None or self.post in self.remaining:
                parts = self.channel.parts_of(self.post, deadline=self._deadline())
                self.remaining = note(self.services, self.takedown_id, [self.post, *parts])
        except PostNotFound:
            if self.remaining is None:  # it is not asked to go: what would outlive it could no more be read
                self.too_young = self._is_young()
                return
        trouble: ChannelError | None = None
        for number, thing in enumerate(self.remaining):
            if number and self.ends.seconds_left(self.services.clock.now()) < self._enough():
                trouble = trouble or NotSent(platform=self.platform, operation="delete_post", detail="the next try")
                break
            try:
                self._remove(thing)
            except (ContentRejected, PermissionDenied, PlatformUnavailable, PostNotFound) as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble

    def _remove(self, thing: str) -> None:
        answer = self.channel.delete_post(thing, deadline=self._deadline())
        if answer == "already_absent" and self._is_young():
            self.too_young = True
            return
        self.removed = self.removed or answer == "deleted"
        self.remaining = strike(self.services, self.takedown_id, thing)

    @property
    def is_at_rest(self) -> bool:
        """Whether the post is gone, and only what outlived it is left."""
        return bool(self.remaining) and self.post not in (self.remaining or ())

    def _enough(self) -> float:
        """The seconds in which one more can be removed and read to be gone: what is begun should not break off."""
        return min(self.services.settings.timings.wire * 2, _LONGEST / 2)

    def _is_young(self) -> bool:
        return self.services.clock.now() < self.young_until

    def _deadline(self) -> Deadline:
        """For what is asked next: its calls' time, and never beyond the end of the whole try."""
        seconds = self.services.settings.timings.wire * _CALLS
        return min(self.ends, Deadline.after(self.services.clock.now(), seconds), key=lambda one: one.at)


def confirm_by_hand(services: Services, takedown_id: int, *, words: str, by: int) -> None:
    """A person removed it on the platform, or saw that it is gone, and says so.

    Raises:
        BadInput: not a word on what they saw.
        Conflict: it is over already, or nobody knows yet what there is to remove.
    """
    words = words.strip()
    if len(words) < _SHORTEST:
        sentence = "Please write what you did or saw on the platform."
        raise BadInput(sentence, fields={"words": sentence})
    with services.step() as session:
        now = services.clock.now()
        if not _confirm(session, takedown_id, how="person", by=by, now=now):
            raise Conflict("This removal is not waiting for a person (any more).")
        one = session.get_one(Takedown, takedown_id)
        one.words = with_seen(one.words, words)
        record(session, at=now, staff_id=by, action="takedown.by_hand", subject=f"takedown:{takedown_id}")


def give_up(services: Services, takedown_id: int, _reason: str) -> None:
    """After many tries in vain: a person is asked. The post is public all the while, so this is told at once."""
    with services.db.read() as session:
        one = session.get_one(Takedown, takedown_id)
        platform = label_of(session.get_one(ChannelAccount, one.account_id).kind)
    _hand_over(services, takedown_id, _BY_HAND.format(platform=platform))


def _is_only_typed(session: Session, one: Takedown) -> bool:
    """Whether a person gave the post's number and no reading has ever shown it: that there is none proves nothing then."""
    answered = select(Audit.id).where(
        Audit.subject == f"publication:{one.publication_id}", Audit.action == "publication.answered"
    )
    seen = select(RemotePublicPost.id).where(
        RemotePublicPost.account_id == one.account_id, RemotePublicPost.remote_id == one.remote_id
    )
    return session.scalar(answered.limit(1)) is not None and session.scalar(seen.limit(1)) is None


def _posted_at(session: Session, one: Takedown) -> datetime:
    """When it became public, as far as anybody knows."""
    publication = session.get(Publication, one.publication_id) if one.publication_id is not None else None
    if publication is not None and publication.sent_at is not None:
        return publication.sent_at
    seen = session.scalars(
        select(RemotePublicPost.posted_at).where(
            RemotePublicPost.account_id == one.account_id, RemotePublicPost.remote_id == one.remote_id
        )
    ).first()
    return seen or one.asked_at - _SETTLES


def _not_yet(services: Services, takedown_id: int, error: ChannelError, *, platform: str) -> None:
    """Note why it did not come about, for whoever waits for it."""
    until = when(error.retry_at) if error.retry_at else "it allows more calls"
    words = next((sentence for kind, sentence in _SENTENCES if isinstance(error, kind)), _AGAIN)
    sentence = words.format(platform=platform, until=until)
    if isinstance(error, RateLimited) and error.retry_at is not None:
        _wait(services, takedown_id, sentence, until=error.retry_at)
    elif _wait(services, takedown_id, sentence, until=None, ask=isinstance(error, AuthenticationFailed)):
        raise NotGoneYet(sentence)


def _wait(services: Services, takedown_id: int, sentence: str, *, until: datetime | None, ask: bool = False) -> bool:
    """Write the sentence down, and the moment of the next try where it is known. False where the removal is over.

    Args:
        ask: tell the office that a person is needed, when the sentence is new.
    """
    with services.step() as session:
        ledger.hold(session)  # of removals of one post that end together, the later sees the earlier
        one = locked(session, takedown_id)
        if one.state != TakedownState.ORDERED:  # a person was quicker
            return False
        problem = sentence + words_on_rest(one)
        new = one.problem != problem
        one.tries += 1
        one.problem = problem
        one.next_at = until or one.next_at
        if new and ask:
            takedown_mail.tell_office(session, one, now=services.clock.now())
        takedown_mail.tell_gone(session, one, now=services.clock.now())
        return True


def _hand_over(services: Services, takedown_id: int, sentence: str) -> None:
    with services.step() as session:
        ledger.hold(session)
        one = locked(session, takedown_id)
        if one.state != TakedownState.ORDERED:
            return
        one.state, one.problem = TakedownState.BY_HAND, sentence + words_on_rest(one)
        one.tries += 1
        takedown_mail.tell_office(session, one, now=services.clock.now())
        takedown_mail.tell_gone(session, one, now=services.clock.now())


def _confirm(session: Session, takedown_id: int, *, how: str, by: int | None, now: datetime) -> bool:
    """Close the removal with its proof in the ledger, and tell whom it concerns. False where it is over already."""
    ledger.hold(session)  # before the row, as everywhere
    one = locked(session, takedown_id)
    if one.state not in STANDING or one.state == TakedownState.WAITING:
        return False
    if by is None and one.remaining:
        return False  # more was read to belong to it meanwhile
    one.state, one.problem = TakedownState.GONE, ""
    # where it is read again after all, the post and whatever may still be left are looked at anew
    one.remaining = (
        [one.remote_id, *(left for left in one.remaining if left != one.remote_id)] if one.remaining else None
    )
    one.confirmed_at, one.confirmed_by = now, by
    body = {
        "takedown": one.id, "account": one.account_id, "publication": one.publication_id, "remote_id": one.remote_id,
        "how": how, "by": by,
    }  # fmt: skip
    ledger.append(session, at=now, kind="takedown.confirmed", body=body)
    if by is None:  # what a person says, the account's next readings ask the platform for
        for seen in session.scalars(
            select(RemotePublicPost).where(
                RemotePublicPost.account_id == one.account_id, RemotePublicPost.remote_id == one.remote_id
            )
        ):
            seen.gone_at = seen.gone_at or now
    removal_ended(session, one, by=by, now=now)
    takedown_mail.tell_gone(session, one, now=now)
    return True
