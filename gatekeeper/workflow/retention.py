"""How long each class of data is kept at this school: shown, and changed with a reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.school import change_setting, school_settings
from gatekeeper.people.staff import record
from gatekeeper.policy import retention
from gatekeeper.policy.retention import DataClass
from gatekeeper.workflow import purge
from gatekeeper.workflow.audit_reason import nameless
from gatekeeper.workflow.services import Services

KEY: Final = "retention"
LONGEST_REASON: Final = 500
_SHORTEST_REASON: Final = 10


@dataclass(frozen=True, kw_only=True)
class Line:
    """One class as the page shows it. `days` None: kept without an end. `waiting` None: only found in the night."""

    of: DataClass
    days: int | None
    waiting: int | None

    @property
    def is_own(self) -> bool:
        """Whether the school chose the period itself."""
        return self.days != self.of.days


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything the page shows."""

    lines: tuple[Line, ...]
    runs: tuple[purge.Run, ...]


def page(session: Session, *, now: datetime) -> Page:
    """The classes in the order in which they go, and the last nights."""
    stored = _stored(session)
    counts = purge.waiting(session, now=now)
    return Page(
        lines=tuple(
            Line(of=one, days=retention.days_for(stored, one.id), waiting=counts.get(one.id))
            for one in retention.classes().values()
        ),
        runs=tuple(purge.last_runs(session)),
    )


def line(session: Session, class_id: str) -> Line:
    """One class.

    Raises:
        NotFound: there is no such class.
    """
    one = retention.classes().get(class_id)
    if one is None:
        raise NotFound("There is no such class of data.")
    return Line(of=one, days=retention.days_for(_stored(session), class_id), waiting=None)


def change(
    services: Services, class_id: str, *, days: int | None, shown: int | None, reason: str, by: int
) -> int | None:
    """Keep a class for so many days from the next night on; the period it had before is given back.

    Args:
        services: what the step is handed.
        class_id: the class.
        days: how many; None: without an end, where that may be.
        shown: the period that the person was shown.
        reason: why, for the audit, where it stands without the names of pupils.
        by: who.

    Raises:
        NotFound: there is no such class.
        BadInput: fewer or more days than may be chosen, no end where there must be one, or no reason.
        Conflict: somebody else has changed it meanwhile.
    """
    now = services.clock.now()
    words = " ".join(reason.split())
    with services.step() as session:
        before = line(session, class_id)
        _check(before.of, days, words)
        if before.days != shown:
            raise Conflict("Somebody else has changed this period meanwhile. Please look again.")
        stored = {**_stored(session), class_id: days}
        if days == before.of.days:
            del stored[class_id]  # what came with Gatekeeper counts, also where a new release changes it
        change_setting(session, KEY, stored, by=by, now=now)
        detail = {"class": class_id, "from": _told(before.days), "to": _told(days), "reason": nameless(session, words)}
        record(session, at=now, staff_id=by, action="retention.changed", subject="retention", detail=detail)
    return before.days


def _check(one: DataClass, days: int | None, reason: str) -> None:
    fields = {}
    if days is None and not one.never:
        fields["days"] = "This may not be kept without an end. Please give a number of days."
    elif days is not None and not retention.is_allowed(one, days):
        fields["days"] = f"Please give a number of days from {one.least} to {retention.MOST}."
    if sum(sign.isalnum() for sign in reason) < _SHORTEST_REASON or len(reason) > LONGEST_REASON:
        fields["reason"] = "Please say in a sentence why, such as “Agreed with the data protection officer”."
    if fields:
        raise BadInput("Please look at the marked fields.", fields=fields)


def _stored(session: Session) -> dict[str, int | None]:
    stored = school_settings(session)[KEY]
    return stored if isinstance(stored, dict) else {}


def _told(days: int | None) -> str:
    return "without an end" if days is None else f"{days} days"
