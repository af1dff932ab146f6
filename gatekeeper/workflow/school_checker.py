"""The text engine, told of this school: its pupils, its staff, its own words and its own rules.

Building it takes some tenths of a second, so a process keeps the last few. One is used again only when everything it
was told is, word for word, what the database says now: a child who came this minute is looked for this minute.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gatekeeper.people.own_rules import TaughtPhrase, policy_in_force, softened
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Staff
from gatekeeper.text import checker
from gatekeeper.text.draft import Pupil as RollName
from gatekeeper.text.draft import SchoolWords, StaffName
from gatekeeper.text.own import read_own

_KEPT: Final = 3  # one in force, one for those who began before the last change, one without the school's own rules


@dataclass(frozen=True)
class _Told:
    """All that a checker is told. Equal parts make equal checkers, whatever database they came from."""

    pupils: tuple[tuple[Any, ...], ...]
    staff: tuple[str, ...]
    school: SchoolWords
    taught: tuple[str, ...]
    rules: str
    softened: tuple[tuple[str, str], ...]


class _Kept:
    """The last few checkers of this process, for all its threads. Holds no session and no row."""

    def __init__(self) -> None:
        self._checkers: OrderedDict[_Told, checker.Checker] = OrderedDict()
        self._fresh_locks()
        if hasattr(os, "register_at_fork"):
            # a thread of the parent may hold a lock at the fork; nobody would ever give it back in the child
            os.register_at_fork(after_in_child=self._fresh_locks)

    def _fresh_locks(self) -> None:
        self._lock, self._building = threading.Lock(), threading.Lock()

    def get(self, told: _Told) -> checker.Checker:
        """The checker told exactly this; built by one thread while the others wait for it."""
        found = self._find(told)
        if found is not None:
            return found
        with self._building:
            found = self._find(told)
            if found is None:
                found = _build(told)
                with self._lock:
                    self._checkers[told] = found
                    while len(self._checkers) > _KEPT:
                        self._checkers.popitem(last=False)
        return found

    def _find(self, told: _Told) -> checker.Checker | None:
        with self._lock:
            found = self._checkers.get(told)
            if found is not None:
                self._checkers.move_to_end(told)
            return found


_kept: Final = _Kept()


def checker_for(session: Session) -> checker.Checker:
    """The text engine as this school's data stand in this transaction. Safe to share between threads.

    Raises:
        LexiconError: this version of the program cannot read the rules that the school keeps. Nothing is checked
            until somebody mends them, and so nothing is passed.
    """
    policy = policy_in_force(session)
    return _kept.get(_told(session, rules=policy.rules if policy else "", soft=softened(session)))


def checker_as_shipped(session: Session) -> checker.Checker:
    """The same with the rules as they came with the product; for proving new ones."""
    return _kept.get(_told(session, rules="", soft={}))


def _told(session: Session, *, rules: str, soft: Mapping[str, str]) -> _Told:
    pupils = session.execute(  # leavers too: a child does not become nameable by leaving
        select(Pupil.id, Pupil.first_name, Pupil.last_name, Pupil.known_as, Pupil.year, Pupil.class_name, Pupil.born_on)
        .where(or_(Pupil.first_name != "", Pupil.last_name != ""))  # a name that was erased is known no more
        .order_by(Pupil.id)
    )
    staff = session.scalars(select(Staff.name).where(Staff.active).order_by(Staff.id))
    taught = session.scalars(
        select(TaughtPhrase.phrase).where(TaughtPhrase.retired_at.is_(None)).order_by(TaughtPhrase.id)
    )
    return _Told(
        pupils=tuple(tuple(row) for row in pupils),
        staff=tuple(staff),
        school=_school_words(session),
        taught=tuple(taught),
        rules=rules,
        softened=tuple(sorted(soft.items())),
    )


def _build(told: _Told) -> checker.Checker:
    return checker.Checker(
        [_roll_name(row) for row in told.pupils],
        [_staff_name(name) for name in told.staff],
        told.school,
        known_phrases=told.taught,
        own=read_own(told.rules),
        softened=dict(told.softened),
    )


def _roll_name(row: Sequence[Any]) -> RollName:
    number, first_name, last_name, known_as, year, class_name, born_on = row
    return RollName(str(number), first_name, last_name, known_as, year, class_name, _iso(born_on))


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _staff_name(name: str) -> StaffName:
    """A member of staff's name as typed on the staff page: an optional title, first names, last name."""
    parts = name.split()
    title = parts.pop(0) if len(parts) > 1 and parts[0].rstrip(".") in {"Mr", "Mrs", "Miss", "Ms", "Mx", "Dr"} else ""
    return StaffName(title=title, first_name=" ".join(parts[:-1]), last_name=parts[-1] if parts else "")


def _school_words(session: Session) -> SchoolWords:
    own = school_settings(session)
    return SchoolWords(
        name=own["name"],
        short_names=tuple(own["short_names"]),
        town=own["town"],
        address=own["address"],
        postcodes=tuple(own["postcodes"]),
        phones=tuple(own["phones"]),
        emails=tuple(own["emails"]),
        domains=tuple(own["domains"]),
        trusted_domains=tuple(own["trusted_domains"]),
        handles=tuple(own["handles"]),
        houses=tuple(own["houses"]),
        classes=tuple(own["classes"]),
    )
