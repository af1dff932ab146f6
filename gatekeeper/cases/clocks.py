"""What is due in a case and when, and when a warning is due.

The hours of a breach are hours: they run on over nights, weekends, holidays and the change of the clocks. The days of
a complaint are days by the school's wall clock, so that what came in at ten is due at ten.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gatekeeper.cases.model import CaseKind
from gatekeeper.clock import LONDON, london

BREACH_HOURS: Final = timedelta(hours=72)
COMPLAINT_DAYS: Final = 30
#: how long before the end a warning goes; the last one says that it is over
WARNINGS: Final = (timedelta(hours=48), timedelta(hours=24), timedelta(hours=6), timedelta(0))
_FRIDAY: Final = 4  # date.weekday()

REPORT, PEOPLE, ACKNOWLEDGE, ANSWER, REMOVE = "report", "people", "acknowledge", "answer", "remove"

#: what each clock asks for: (what is to be done, how it is written down that it was)
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    REPORT: ("Report to the ICO, or record why not", "When and how it was reported, or why it need not be"),
    PEOPLE: ("Tell the people concerned, because the risk to them is high", "Who was told, when and how"),
    ACKNOWLEDGE: ("Acknowledge the complaint in writing", "When and how it was acknowledged"),
    ANSWER: ("Answer, or say that the school does not", "How it was settled"),
    REMOVE: ("Remove what was asked, or say why not", "How it was settled"),
}


@dataclass(frozen=True)
class Due:
    """One thing that is due."""

    name: str
    at: datetime


def due_in(
    kind: CaseKind, *, began_at: datetime, deadline: datetime | None = None, high_risk: bool = False
) -> tuple[Due, ...]:
    """What a fresh case of this kind has to keep to.

    Args:
        kind: the kind.
        began_at: when the school became aware, or the complaint arrived.
        deadline: until when somebody asked for an answer, or was given time to remove something.
        high_risk: of a breach: whether the risk to the people concerned is high. The law says "without undue delay",
            so they are to be told with the report at the latest.
    """
    if kind is CaseKind.BREACH:
        at = began_at + BREACH_HOURS
        return (Due(REPORT, at), Due(PEOPLE, at)) if high_risk else (Due(REPORT, at),)
    if kind is CaseKind.COMPLAINT:
        return (Due(ACKNOWLEDGE, days_later(began_at, COMPLAINT_DAYS)),)
    if kind is CaseKind.ENQUIRY and deadline:
        return (Due(ANSWER, deadline),)
    if kind is CaseKind.REMOVAL and deadline:
        return (Due(REMOVE, deadline),)
    return ()


def days_later(moment: datetime, days: int) -> datetime:
    """The same time on the school's wall clock so many days later; an hour that is skipped there is the one after it."""
    wall = (london(moment).replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=LONDON)
    return wall.astimezone(moment.tzinfo)


def reached(due_at: datetime, now: datetime) -> int:
    """How many of the warnings were due by now."""
    return sum(now >= due_at - before for before in WARNINGS)


def last_weekday(due_at: datetime) -> datetime | None:
    """The Friday before, where the end falls on a weekend: the clock does not wait for Monday."""
    local = london(due_at)
    return due_at - timedelta(days=local.weekday() - _FRIDAY) if local.weekday() > _FRIDAY else None
