"""Telling the administrators about a channel's keys: 14 and 3 days before they end, when they have ended, and when they fail.

Each warning goes once for each end: `told_expiry` keeps the last one, and new keys with a later end begin anew.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.people.staff import Role, Staff
from gatekeeper.policy.limits import label_of
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.workflow.notify import tell

#: so many days before the end; 0 is the end itself
WARNINGS: Final = (0, 3, 14)


def stage_of(expires_at: datetime | None, *, now: datetime) -> int | None:
    """The warning that an end calls for at this moment, or None while it is far off or there is none."""
    if expires_at is None:
        return None
    return next((days for days in WARNINGS if expires_at - now <= timedelta(days=days)), None)


def still_told(account: ChannelAccount, *, now: datetime) -> int | None:
    """What was told already that still holds for the account's present end; nothing where that end is far off."""
    stage = stage_of(account.expires_at, now=now)
    return None if stage is None or account.told_expiry is None else max(stage, account.told_expiry)


def is_due(account: ChannelAccount, *, now: datetime) -> bool:
    """Whether a warning is due that has not gone out."""
    stage = stage_of(account.expires_at, now=now)
    return stage is not None and (account.told_expiry is None or stage < account.told_expiry)


def warn(session: Session, account: ChannelAccount, *, now: datetime) -> None:
    """Order the warning that is due, if one is."""
    stage = stage_of(account.expires_at, now=now)
    if stage is None or account.expires_at is None or not is_due(account, now=now):
        return
    account.told_expiry = stage
    tell_administrators(
        session,
        account,
        "channel_ending",
        occasion=f"ending:{account.expires_at:%Y%m%d}:{stage}",
        sentence=ending_sentence(account.expires_at, now=now),
        ended=stage == 0,
        now=now,
    )


def ending_sentence(expires_at: datetime, *, now: datetime) -> str:
    """When keys end, or ended, for a person."""
    end = london(expires_at)
    verb = "ended" if expires_at <= now else "end"
    return f"They {verb} on {end:%A} {end.day} {end:%B %Y} at {end:%H:%M}."


def tell_administrators(
    session: Session,
    account: ChannelAccount,
    kind: str,
    *,
    occasion: str,
    sentence: str,
    now: datetime,
    ended: bool = False,
) -> None:
    """Order an e-mail about one channel to every administrator; about the same occasion it goes once."""
    wanted = select(Staff.id).where(Staff.role == Role.ADMINISTRATOR, Staff.active).order_by(Staff.id)
    for staff_id in session.scalars(wanted).all():
        tell(
            session,
            kind,
            staff_id=staff_id,
            subject=f"channel:{account.id}:{occasion}",
            context={
                "channel": f"{label_of(account.kind)} ({account.name})",
                "sentence": sentence,
                "ended": ended,
                "account_id": account.id,
            },
            now=now,
        )
