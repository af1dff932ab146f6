"""What the nightly purge is made of: one rule says of one kind of row which had their time, and how they go."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Delete, Select, Update
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.people.school import school_settings
from gatekeeper.policy import retention


@dataclass(frozen=True, kw_only=True)
class Night:
    """The moment of one purge, the periods that count in it, and the ids it is asked about, where it is only some."""

    now: datetime
    periods: Mapping[str, Any]
    among: tuple[Any, ...] | None = None

    def before(self, class_id: str) -> datetime | None:
        """What ended before this moment goes; None: nothing of the class ever does."""
        return retention.before(self.periods, class_id, now=self.now)

    def day_before(self, class_id: str) -> date | None:
        """The same as a day of the school's calendar."""
        moment = self.before(class_id)
        return london(moment).date() if moment else None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One kind of row.

    Attributes:
        id: the class of data it belongs to (policy/retention.toml); a class may have several rules.
        due: the ids of what had its time and is not held, the oldest first; None where nothing ever has.
        erase: erases these, in the caller's transaction, and says how many it really did.
        batch: how many at once: few enough that nobody who writes waits long.
        asks_again: `erase` itself asks whether they are still due, once it has locked them; else the caller asks.
    """

    id: str
    due: Callable[[Session, Night], Select[Any] | None]
    erase: Callable[[Session, Sequence[Any], Night], int]
    batch: int = 200
    asks_again: bool = False


def night(session: Session, *, now: datetime) -> Night:
    """The periods as the school has them now."""
    stored = school_settings(session)["retention"]
    return Night(now=now, periods=stored if isinstance(stored, dict) else {})


def still_due(
    session: Session,
    due: Callable[[Session, Night], Select[Any] | None],
    night: Night,
    ids: Sequence[Any],
) -> list[Any]:
    """Those of these ids that are due at this moment, in the caller's transaction."""
    query = due(session, replace(night, among=tuple(ids)))
    if query is None:
        return []
    (column,) = query.selected_columns
    return list(session.scalars(query.where(column.in_(ids))))


def done(session: Session, statement: Update | Delete) -> int:
    """Carry it out, and say how many rows it changed."""
    changed: Any = session.execute(statement.execution_options(synchronize_session=False))
    return int(changed.rowcount)
