"""Reads the school day and the terms as somebody types them; reminders go out in them and at no other time."""

import re
from datetime import date, datetime, time
from typing import Any, Final

from gatekeeper.errors import BadInput
from gatekeeper.policy.hours import EARLIEST, LATEST

_FORMS: Final = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d %B %Y")
_BETWEEN: Final = re.compile(r"\s+(?:to|until|-|–)\s+")
_MOST: Final = 30


def school_day_of(start: time | None, end: time | None) -> dict[str, str]:
    """The school day as it is stored.

    Raises:
        BadInput: it does not begin before it ends, or reaches into the night.
    """
    if start is None or end is None:
        sentence = "Please give a time such as 08:00."
        raise BadInput(sentence, fields={"day_start" if start is None else "day_end": sentence})
    if start < EARLIEST or end > LATEST:
        sentence = f"The school day lies between {EARLIEST:%H:%M} and {LATEST:%H:%M}: nobody is reminded at night."
        raise BadInput(sentence, fields={"day_start" if start < EARLIEST else "day_end": sentence})
    if start >= end:
        sentence = "The school day has to end after it begins."
        raise BadInput(sentence, fields={"day_end": sentence})
    return {"start": f"{start:%H:%M}", "end": f"{end:%H:%M}"}


def terms_of(typed: str) -> list[list[str]]:
    """One term a line, such as "3 September 2026 to 18 December 2026", in order of time.

    Raises:
        BadInput: a line is no term.
    """
    lines = [line.strip() for line in typed.splitlines() if line.strip()]
    if len(lines) > _MOST:
        raise _refuse(f"Please list at most {_MOST} terms.")
    found = []
    for line in lines:
        days = [_day(part) for part in _BETWEEN.split(line)]
        if len(days) != 2 or days[0] is None or days[1] is None:  # noqa: PLR2004 - the first day and the last
            raise _refuse(f"“{line[:60]}” is no term. Write it like “03/09/2026 to 18/12/2026”.")
        if days[0] > days[1]:
            raise _refuse(f"“{line[:60]}” ends before it begins.")
        found.append([days[0].isoformat(), days[1].isoformat()])
    return sorted(found)


def terms_as_typed(stored: Any) -> str:
    """The terms as the form shows them, one a line."""
    return "\n".join(
        " to ".join(f"{date.fromisoformat(day):%d/%m/%Y}" for day in pair)
        for pair in stored
        if len(pair) == 2  # noqa: PLR2004
    )


def _day(text: str) -> date | None:
    for form in _FORMS:
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def _refuse(sentence: str) -> BadInput:
    return BadInput(sentence, fields={"terms": sentence})
