"""Asking a platform whose an account's keys are, what they allow and until when. Run by the process that holds them.

The first time, the account waits for the answer. From then on it is asked every day while the channel stays open: bad
news holds the channel at once and the administrators get an e-mail; no answer is no news, and it is asked again in an
hour. What is held burns no post: each waits while its approved window is open.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from approvals import ledger
from gatekeeper.channels.base import AccountIdentity, Channel, Deadline, MediaItem, Trial, Trying
from gatekeeper.channels.errors import (
    AccountRestricted,
    AuthenticationFailed,
    ChannelBusy,
    ChannelError,
    PermissionDenied,
    QuotaExhausted,
    UnsupportedApiVersion,
)
from gatekeeper.errors import SettingsError
from gatekeeper.people.staff import record
from gatekeeper.policy.channel_keys import missing_sentence
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.media import render
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.workflow import key_ending, key_silence
from gatekeeper.workflow.services import Services

log = logging.getLogger(__name__)

#: what a platform may say about keys that worked; anything else about them is taken for no answer
_BAD_NEWS: Final = (
    AuthenticationFailed,
    PermissionDenied,
    QuotaExhausted,
    AccountRestricted,
    UnsupportedApiVersion,
    SettingsError,
)
EVERY: Final = timedelta(days=1)
AGAIN: Final = timedelta(hours=1)
#: the audit's word for an answer of the platform; its detail says what the trial came to
CHECKED: Final = "channel.checked"
_TRIAL_ALT: Final = "A plain green picture, to try the connection. Nobody sees it."


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What the platform said: why the keys are no good, or whose they are."""

    sentence: str = ""
    why: str = ""
    identity: AccountIdentity | None = None
    trial: Trial | None = None


def check(services: Services, account_id: int) -> None:
    """Ask the platform about one account and write its answer down.

    Raises:
        ChannelBusy: a platform that is asked for the first time gave no answer; the worker asks again later.
    """
    with services.db.read() as session:
        account = session.get(ChannelAccount, account_id)
    if account is None or account.status not in ("new", "open") or not account.sealed:
        return
    if services.channel_for is None:
        raise SettingsError("This process holds no channel keys.")
    try:
        found = _ask(services, account)
    except ChannelError as unclear:
        with services.step() as session:
            _no_answer(session, account, unclear, now=services.clock.now())
        if account.status == "new":
            raise
        return
    with services.step() as session:
        now = services.clock.now()
        ledger.hold(session)
        present = session.get_one(ChannelAccount, account_id)
        if (present.status, present.sealed) != (account.status, account.sealed):
            return  # renewed, closed or held meanwhile: this answer is about keys that no longer count
        if found.identity is not None:  # bad news has an e-mail of its own
            key_silence.answered(session, present, now=now)
        present.checked_at = now
        if found.identity is None:
            _hold(session, present, found, now=now)
        else:
            _accept(session, present, found.identity, now=now)
        detail: dict[str, Any] = {"ok": not found.sentence}
        if found.trial is not None:
            detail["trial"] = {"read_back": found.trial.read_back, "removed": found.trial.removed}
        record(session, at=now, staff_id=None, action=CHECKED, subject=f"channel:{account_id}", detail=detail)


def _ask(services: Services, account: ChannelAccount) -> _Found:
    """The platform's answer, got outside any transaction: it may be slow."""
    assert services.channel_for is not None
    try:
        channel = services.channel_for(account)
        identity = channel.verify_credentials(deadline=_deadline(services))
        if identity.id != account.remote_id:
            sentence = f"These keys belong to another account ({identity.name}), not to the one registered here."
            return _Found(sentence=sentence, why="another_account")
        if sentence := missing_sentence(account.kind, identity.scopes):
            return _Found(sentence=sentence, why="permissions")
        return _Found(identity=identity, trial=_try(services, channel) if account.status == "new" else None)
    except (ChannelError, SettingsError) as refused:
        if isinstance(refused, ChannelBusy) or (account.status == "open" and not isinstance(refused, _BAD_NEWS)):
            raise
        return _Found(sentence=str(refused), why=type(refused).__name__)


def _try(services: Services, channel: Channel) -> Trial | None:
    """A plain picture uploaded unpublished, read back and removed, where the platform has such a thing."""
    if not isinstance(channel, Trying):
        return None
    picture = render(np.full((480, 640, 3), (46, 125, 87), np.uint8)).data
    return channel.trial(MediaItem(data=picture, mime="image/jpeg", alt=_TRIAL_ALT), deadline=_deadline(services))


def _deadline(services: Services) -> Deadline:
    return Deadline.after(services.clock.now(), services.settings.timings.wire)


def _no_answer(session: Session, asked: ChannelAccount, unclear: ChannelError, *, now: datetime) -> None:
    """No answer is no news: an open channel stays open, and is asked again within a day."""
    present = session.get_one(ChannelAccount, asked.id)
    if present.status == "new":
        present.check_result = str(unclear)
    elif present.status == "open":
        log.info("channel %d: no answer about its keys (%s)", asked.id, type(unclear).__name__)
        present.next_check_at = min(max(now + AGAIN, unclear.retry_at or now), now + EVERY)


def _hold(session: Session, account: ChannelAccount, found: _Found, *, now: datetime) -> None:
    was_open = account.status == "open"
    account.status, account.check_result, account.held_reason = "held", found.sentence, found.sentence
    account.next_check_at = None
    if not was_open:
        return
    ledger.append(session, at=now, kind="channel_held", body={"account": account.id, "why": found.why})
    key_ending.tell_administrators(
        session, account, "channel_failed", occasion=f"failed:{now:%Y%m%d%H%M}", sentence=found.sentence, now=now
    )


def _accept(session: Session, account: ChannelAccount, told: AccountIdentity, *, now: datetime) -> None:
    account.identity = told.name[:200]
    account.scopes = sorted(told.scopes)
    if told.expires_at != account.expires_at:
        account.expires_at = told.expires_at
        account.told_expiry = key_ending.still_told(account, now=now)
    account.next_check_at = now + EVERY
    if told.expires_at is not None and now < told.expires_at < account.next_check_at:
        account.next_check_at = told.expires_at
    account.check_result = f"{label_of(account.kind)} says these keys belong to {told.name}."
    if account.status == "new":
        account.status = "open" if account.declared_own and account.opened_at else "checked"
    key_ending.warn(session, account, now=now)
