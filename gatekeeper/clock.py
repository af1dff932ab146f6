"""The one place that asks the computer what time it is.

Times are UTC and aware everywhere. School staff read and type Europe/London; `london` and `resolve_london` are the
only ways between the two.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from gatekeeper.errors import BadInput

LONDON = ZoneInfo("Europe/London")


class Clock(Protocol):
    """Tells the time, so that tests can tell it otherwise."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


class SystemClock:
    """The computer's clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


def steady() -> float:
    """Seconds that only ever rise, whoever sets the clock; on Linux they count while the computer sleeps, too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class AmbiguousTime(BadInput):
    """The clock shows this time twice on that night; the person must say which is meant."""


def london(moment: datetime) -> datetime:
    """The same moment as a clock on the school's wall shows it."""
    return moment.astimezone(LONDON)


def resolve_london(wall: datetime, *, fold: int | None = None, field: str = "due") -> datetime:
    """Turn what the wall clock will show into one moment in UTC.

    Args:
        wall: naive local time as typed.
        fold: 0 for the first (summer time) and 1 for the second (winter time) of a doubled hour; None when not asked.
        field: the form field that the sentence belongs to.

    Raises:
        BadInput: the time does not exist (the hour skipped in March).
        AmbiguousTime: the time exists twice (October) and `fold` does not say which.
    """
    first, second = (wall.replace(tzinfo=LONDON, fold=f).astimezone(UTC) for f in (0, 1))
    if first == second:
        return first
    if first.astimezone(LONDON).replace(tzinfo=None) != wall:
        # a wall time inside the skipped hour does not survive the round trip
        later = wall + timedelta(hours=1)
        sentence = (
            f"{wall:%H:%M} does not exist that night: the clocks go forward. Choose {later:%H:%M} or another time."
        )
        raise BadInput(sentence, fields={field: sentence})
    if fold is None:
        sentence = (
            f"{wall:%H:%M} comes twice that night: the clocks go back. Say whether you mean the first or the second."
        )
        raise AmbiguousTime(sentence, fields={field: sentence})
    return second if fold else first
