"""The hours in which the school may be reminded: Monday to Friday, in the school day, in term. Never at night.

The policy says nothing of it; courtesy does. Hours are those of the clock on the school's wall, so that eight in the
morning stays eight in the morning when the clocks change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Self

from gatekeeper.clock import LONDON, london

START: Final = time(8)
END: Final = time(17)
#: whatever is set, nothing is sent before or after: that is night
EARLIEST: Final = time(6)
LATEST: Final = time(21)
_SATURDAY: Final = 5
_LONGEST_LOOK: Final = 400  # days ahead; a post may be planned for years from now


@dataclass(frozen=True, kw_only=True)
class SchoolHours:
    """When the school is at work. Without terms every week of the year is one.

    Attributes:
        start: when the school day begins.
        end: when it is over.
        terms: the first and the last day of each term.
    """

    start: time = START
    end: time = END
    terms: tuple[tuple[date, date], ...] = ()

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """From the school's settings. A school day that cannot be read is the usual one; a broken term is none."""
        day = settings.get("school_day") or {}
        start, end = _time(day.get("start")), _time(day.get("end"))
        usual = start is None or end is None or not EARLIEST <= start < end <= LATEST
        return cls(
            start=START if usual or start is None else start,
            end=END if usual or end is None else end,
            terms=tuple(term for pair in settings.get("terms") or () if (term := _term(pair))),
        )

    def is_school_day(self, day: date) -> bool:
        """Whether the school is open on this day."""
        in_term = not self.terms or any(first <= day <= last for first, last in self.terms)
        return in_term and day.weekday() < _SATURDAY

    def is_open(self, moment: datetime) -> bool:
        """Whether this moment lies in a school day."""
        local = london(moment)
        return self.is_school_day(local.date()) and self.start <= local.time() < self.end

    def opening(self, day: date) -> datetime | None:
        """When the school day begins on this day, in UTC; None where there is none."""
        if not self.is_school_day(day):
            return None
        return datetime.combine(day, self.start, tzinfo=LONDON).astimezone(UTC)

    def next_open(self, moment: datetime, *, before: datetime) -> datetime | None:
        """This moment if it lies in a school day, else the start of the next one; None where that is not `before`."""
        if self.is_open(moment):
            return moment if moment < before else None
        first = london(moment).date()
        for ahead in range(min((london(before).date() - first).days, _LONGEST_LOOK) + 1):
            opening = self.opening(first + timedelta(days=ahead))
            if opening is not None and opening > moment:
                return opening if opening < before else None
        return None


def _time(text: object) -> time | None:
    try:
        return time.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _term(pair: Sequence[str]) -> tuple[date, date] | None:
    try:
        first, last = (date.fromisoformat(day) for day in pair)
    except (TypeError, ValueError):
        return None
    return (first, last) if first <= last else None
