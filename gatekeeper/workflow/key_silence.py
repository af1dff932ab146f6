"""Telling the administrators that a platform has given no answer about a channel's keys for days, and when it does again.

No answer is no news, so the channel stays open; but keys that nobody could look at may have ended. Each silence is told
once: it is named by the answer that came last.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.mail.model import Notice
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.workflow.key_ending import tell_administrators

AFTER: Final = timedelta(days=3)
ADVICE: Final = "Press “Check the keys again”. If that does not help: is the platform worker running?"
SILENT: Final = "channel_silent"
ANSWERS: Final = "channel_answers"


def sentence(name: str) -> str:
    """What the page, the doctor and the e-mail say."""
    return f"{name} has not answered about the keys for more than three days."


def is_silent(account: ChannelAccount, *, now: datetime) -> bool:
    """Whether an open channel's platform has said nothing about its keys for so long."""
    last = _last(account)
    return account.status == "open" and last is not None and last < now - AFTER


def is_due(session: Session, account: ChannelAccount, *, now: datetime) -> bool:
    """Whether it is silent, and nobody was told."""
    return account.sealed is not None and is_silent(account, now=now) and not _was_told(session, account)


def warn(session: Session, account: ChannelAccount, *, now: datetime) -> None:
    """Tell of this silence; once."""
    if is_due(session, account, now=now):
        told = sentence(label_of(account.kind))
        tell_administrators(session, account, SILENT, occasion=_silence(account), sentence=told, now=now)


def answered(session: Session, account: ChannelAccount, *, now: datetime) -> None:
    """Tell that it answers again, where its silence was told. Asked before this answer is written down."""
    if _was_told(session, account):
        occasion = _silence(account).replace("silent", "answers")
        tell_administrators(session, account, ANSWERS, occasion=occasion, sentence="", now=now)


def _last(account: ChannelAccount) -> datetime | None:
    return account.checked_at or account.opened_at


def _silence(account: ChannelAccount) -> str:
    last = _last(account)
    return f"silent:{last:%Y%m%d%H%M%S}" if last else "silent"


def _was_told(session: Session, account: ChannelAccount) -> bool:
    subject = f"channel:{account.id}:{_silence(account)}"
    told = select(Notice.id).where(Notice.kind == SILENT, Notice.subject == subject)
    return session.scalars(told.limit(1)).first() is not None
