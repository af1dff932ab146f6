"""The time of publishing as the author typed it, kept word for word beside the moment it means.

What was typed stays on the form even when it cannot be read; only `resolve` says what is wrong with it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gatekeeper.clock import resolve_london
from gatekeeper.errors import BadInput

_DATES: Final = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y")
_TIMES: Final = ("%H:%M", "%H.%M", "%H:%M:%S")
_FOLDS: Final = {0: "first", 1: "second"}
_LONGEST: Final = 15  # of each half; the column takes 40


@dataclass(frozen=True, kw_only=True)
class TypedDue:
    """A date and a time as typed. `fold` says which of a doubled hour in October is meant, when that was asked."""

    date: str = ""
    time: str = ""
    fold: int | None = None

    @classmethod
    def read(cls, stored: str) -> "TypedDue":
        """Read back what `stored` wrote."""
        parts = [*stored.split(" "), "", ""]
        fold = next((number for number, word in _FOLDS.items() if word == parts[2]), None)
        return cls(date=parts[0].replace("-", "") and parts[0], time=parts[1].replace("-", "") and parts[1], fold=fold)

    @property
    def stored(self) -> str:
        """One line for the database; empty when nothing was typed."""
        day, hour = (_squeezed(part) for part in (self.date, self.time))
        if not day and not hour:
            return ""
        words = [day or "-", hour or "-", *([_FOLDS[self.fold]] if self.fold in _FOLDS else [])]
        return " ".join(words)


def _squeezed(text: str) -> str:
    return "".join(text.split())[:_LONGEST]


def resolve(typed: TypedDue) -> datetime:
    """The moment in UTC that was typed as London's wall clock shows it.

    Raises:
        BadInput: something is missing, cannot be read, or does not exist (the hour skipped in March).
        AmbiguousTime: the hour comes twice (October) and the form must ask which is meant.
    """
    if not typed.date.strip():
        raise _bad("due_date", "Choose the day on which this is to be published.")
    if not typed.time.strip():
        raise _bad("due_time", "Choose the time at which this is to be published.")
    day = _parsed(_squeezed(typed.date), _DATES)
    if day is None:
        raise _bad("due_date", "This is not a date. Write it like 24/11/2026.")
    hour = _parsed(_squeezed(typed.time), _TIMES)
    if hour is None:
        raise _bad("due_time", "This is not a time of day. Write it like 15:30.")
    wall = day.replace(hour=hour.hour, minute=hour.minute)
    return resolve_london(wall, fold=typed.fold, field="due_time")


def is_doubled(typed: TypedDue) -> bool:
    """Whether the form has to ask which of two hours is meant."""
    moments = set()
    for fold in (0, 1):
        try:
            moments.add(resolve(TypedDue(date=typed.date, time=typed.time, fold=fold)))
        except (BadInput, OverflowError):
            return False
    return len(moments) > 1


def _parsed(text: str, forms: tuple[str, ...]) -> datetime | None:
    for form in forms:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - a wall clock's time has no zone until it is resolved
        except ValueError:
            continue
    return None


def _bad(name: str, sentence: str) -> BadInput:
    return BadInput(sentence, fields={name: sentence})
