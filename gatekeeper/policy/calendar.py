"""Days and weeks by the clock on the school's wall, right also on the nights when the clocks change.

A day begins at midnight in London and lasts 23, 24 or 25 hours. Whatever is asked about a day is asked of the wall
clock, so that half past nine stays half past nine on both sides of a clock change.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from gatekeeper.clock import LONDON, london
from gatekeeper.policy.hours import SchoolHours

CLOSE: Final = timedelta(minutes=30)  # nearer than this, one post on a channel pushes the other away
_WEEK: Final = 7
_USUAL_HOURS: Final = 24
_STEP: Final = timedelta(minutes=30)
_READING: Final = timedelta(hours=1)  # what is suggested leaves the headteacher at least this long
_LONGEST_LOOK: Final = 120  # days ahead; over every summer holiday
_NOON: Final = time(12)
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2100


def monday_of(day: date) -> date:
    """The first day of this day's week."""
    return day - timedelta(days=day.weekday())


def days_from(first: date, count: int = _WEEK) -> tuple[date, ...]:
    """So many days in a row."""
    return tuple(first + timedelta(days=ahead) for ahead in range(count))


def starts_at(day: date) -> datetime:
    """London's midnight at which this day begins, in UTC. The clocks never change at midnight, so there is one."""
    return datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC)


def hours_in(day: date) -> int:
    """How long this day lasts."""
    return round((starts_at(day + timedelta(days=1)) - starts_at(day)) / timedelta(hours=1))


def clock_change(day: date) -> str:
    """What happens to the clocks on this day, in a sentence; empty on every other day."""
    hours = hours_in(day)
    if hours == _USUAL_HOURS:
        return ""
    if hours < _USUAL_HOURS:
        return f"The clocks go forward: this day has {hours} hours, and 01:00 to 02:00 does not exist."
    return f"The clocks go back: this day has {hours} hours, and 01:00 to 02:00 comes twice."


def wall(moment: datetime) -> str:
    """Like "15:30" as the wall clock shows it; in the hour that comes twice with its offset, "01:30 BST (UTC+1)"."""
    local = london(moment)
    offsets = {local.replace(fold=fold).utcoffset() for fold in (0, 1)}
    if len(offsets) == 1:
        return f"{local:%H:%M}"
    ahead = int((local.utcoffset() or timedelta()) / timedelta(hours=1))
    return f"{local:%H:%M} {local.tzname()} (UTC+{ahead})"


def day_typed(text: str, *, otherwise: date) -> date:
    """The day an address names, or `otherwise`: a mistyped address is not worth a refusal."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return day if _FIRST_YEAR <= day.year < _LAST_YEAR else otherwise


def free_slots(hours: SchoolHours, taken: Iterable[datetime], *, now: datetime, count: int = 6) -> tuple[datetime, ...]:
    """The next free times in school hours: one in the morning and one in the afternoon of each school day.

    Args:
        hours: when the school is at work.
        taken: when other posts go out on the same channels.
    """
    times = sorted(taken)
    found: list[datetime] = []
    today = london(now).date()
    for day in days_from(today, _LONGEST_LOOK):
        halves: set[bool] = set()
        for moment in _steps(hours, day):
            afternoon = london(moment).time() >= _NOON
            if moment < now + _READING or afternoon in halves or any(abs(moment - other) <= CLOSE for other in times):
                continue
            halves.add(afternoon)
            found.append(moment)
            if len(found) == count:
                return tuple(found)
    return tuple(found)


def _steps(hours: SchoolHours, day: date) -> Iterator[datetime]:
    """Every half hour of the school day, by the wall clock. It lies in daylight, where no clock changes."""
    moment = hours.opening(day)
    while moment is not None and hours.is_open(moment):
        yield moment
        moment += _STEP
