"""How often the school's own accounts are read, and what reading may cost where a platform charges for it.

X charges for each post that is read back. What is left of the month's budget is spread over what is left of the month:
while nothing is posted a reading returns nothing and costs nothing, so it goes on at the usual pace.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gatekeeper.errors import BadInput
from gatekeeper.people.school import change_setting, school_settings
from gatekeeper.people.staff import record
from gatekeeper.policy.limits import PRICES, dollars
from gatekeeper.posts.model import ChannelCost
from gatekeeper.posts.public import AccountWatch
from gatekeeper.settings import Settings
from gatekeeper.workflow import cost
from gatekeeper.workflow.services import Services

SETTING: Final = "watch"
EVERY: Final = (5, 10, 15, 30, 60)  # minutes
MOST_READS: Final = 100_000
#: a clock that was set right may leave a moment far ahead; nothing waits longer for its turn than this
_LONGEST_FREE, _LONGEST_PAID = timedelta(hours=26), timedelta(days=32)
_DEMO_ROUND: Final = timedelta(seconds=20)
_PAUSE_AT_MOST: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class WatchSetting:
    """What the school has set.

    Attributes:
        minutes: between two readings of an account.
        reads: posts of X that may be read back in a month, for which X charges.
    """

    minutes: int = 15
    reads: int = 2_000

    @property
    def price(self) -> str:
        """What the budget comes to in a month, at most."""
        return dollars(self.reads * PRICES["x"][cost.READ])


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How one kind of account is read.

    Attributes:
        every: between two readings.
        lag: how long a platform may take to show what was posted.
        paid: whether each post that is read costs.
        back: how far back every reading goes; nothing where reading costs.
        first: how far back the first one goes, and where nothing costs the first of each day.
        horizon: up to which age our own posts are looked up one by one.
    """

    every: timedelta
    lag: timedelta
    paid: bool
    back: timedelta
    first: timedelta
    horizon: timedelta

    @property
    def overlap(self) -> timedelta:
        """What two readings have in common, for what a platform lists late."""
        return self.lag if self.paid else self.lag * 6

    def looked_up_after(self, age: timedelta) -> timedelta:
        """How long one of our own posts of this age may go unseen before it is asked for by its number."""
        if self.paid:
            return max(self.every, min(age / 2, timedelta(days=7)))
        return max(self.every, min(age / 4, timedelta(days=1)))

    def after_failures(self, failures: int) -> timedelta:
        """The pause after so many readings in a row that did not come through."""
        doubled: int = 2 ** min(max(failures, 1) - 1, 10)
        return max(self.every, min(self.every * doubled, _PAUSE_AT_MOST))


def setting_of(school: Mapping[str, Any]) -> WatchSetting:
    """The school's setting; what is not set, or is no number, counts as the usual."""
    stored = school.get(SETTING)
    known = stored if isinstance(stored, dict) else {}
    usual = WatchSetting()
    minutes, reads = known.get("minutes"), known.get("reads")
    return WatchSetting(
        minutes=minutes if minutes in EVERY else usual.minutes,
        reads=reads if isinstance(reads, int) and 0 <= reads <= MOST_READS else usual.reads,
    )


def change(services: Services, wanted: WatchSetting, *, by: int) -> None:
    """Set how often is read and what X may cost.

    Raises:
        BadInput: a number that cannot be.
    """
    if wanted.minutes not in EVERY:
        sentence = "Choose one of the pauses."
        raise BadInput(sentence, fields={"minutes": sentence})
    if not 0 <= wanted.reads <= MOST_READS:
        sentence = f"Type a number from 0 to {MOST_READS:,}."
        raise BadInput(sentence, fields={"reads": sentence})
    now = services.clock.now()
    value = {"minutes": wanted.minutes, "reads": wanted.reads}
    with services.step() as session:
        change_setting(session, SETTING, value, by=by, now=now)
        soon = now + timedelta(minutes=wanted.minutes)
        for one in session.scalars(select(AccountWatch).where(AccountWatch.next_at > soon).with_for_update()):
            one.next_at = soon  # what waited for the next month's budget may have one now
        record(session, at=now, staff_id=by, action="watch.set", subject="school", detail=value)


def pace_of(kind: str, setting: WatchSetting, settings: Settings) -> Pace:
    """How accounts of this kind are read. In the demo, where nothing costs, every few seconds."""
    paid = cost.is_paid(kind)
    day = timedelta(days=1)
    return Pace(
        every=_DEMO_ROUND if settings.demo else timedelta(minutes=setting.minutes),
        lag=2 * _DEMO_ROUND if settings.demo else settings.timings.reads[-1],
        paid=paid,
        back=timedelta(0) if paid else 30 * day,
        first=30 * day if paid else 365 * day,
        horizon=90 * day if paid else 400 * day,
    )


def longest_for(kind: str) -> timedelta:
    """The longest that a reading of an account of this kind can be put off."""
    return _LONGEST_PAID if cost.is_paid(kind) else _LONGEST_FREE


def next_reading(pace: Pace, *, now: datetime, budget: int, spent: int, reads: int, demo: bool) -> datetime:
    """When an account is read next, after a reading that got so many posts.

    Args:
        budget: what the month allows where reading costs.
        spent: what of it is used.
        reads: what the last reading got: the next is likely to get as many.
        demo: nothing costs there.
    """
    if not pace.paid or demo:
        return now + pace.every
    end = month_after(now)
    left = budget - spent
    if left <= 0:
        return end
    return min(end, now + max(pace.every, (end - now) * reads / left))


def month_after(now: datetime) -> datetime:
    """When the next month begins, in UTC, as X counts."""
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def spent_on(session: Session, account_id: int, *, now: datetime) -> int:
    """How many posts of this account were read back in the present month, for whatever reason."""
    today = now.astimezone(UTC).date()
    return (
        session.scalar(
            select(func.sum(ChannelCost.count)).where(
                ChannelCost.account_id == account_id,
                ChannelCost.kind == cost.READ,
                ChannelCost.day >= date(today.year, today.month, 1),
            )
        )
        or 0
    )


def present_setting(session: Session) -> WatchSetting:
    """The school's setting as it stands."""
    return setting_of(school_settings(session))
