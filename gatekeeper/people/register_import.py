"""Compares a file with the register line by line, and writes exactly what was compared.

The same comparison makes the dry run and the import. A file with one refused line writes nothing at all: the line
that is left out could be the one that takes a permission back.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.clock import london
from gatekeeper.people.consent import Basis, Consent, Purpose
from gatekeeper.people.pupils import LONGEST, Pupil, may_be_birthday
from gatekeeper.people.register_file import Row, Table, read_table


class Kind(StrEnum):
    """The two files there are."""

    ROSTER = "roster"
    CONSENTS = "consents"


class Outcome(StrEnum):
    """What a line does."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


COLUMNS: Final = {
    Kind.ROSTER: ("pupil_id", "first_name", "last_name", "known_as", "year", "class", "dob"),
    Kind.CONSENTS: ("pupil_id", "channel", "allowed", "basis", "given_on", "expires_on", "note"),
}
NEEDED: Final = {
    Kind.ROSTER: ("pupil_id", "first_name", "last_name"),
    Kind.CONSENTS: ("pupil_id", "channel", "allowed", "given_on"),
}
#: column -> attribute
_ROSTER_TEXT: Final = {
    "first_name": "first_name",
    "last_name": "last_name",
    "known_as": "known_as",
    "year": "year",
    "class": "class_name",
}
_YES, _NO = frozenset({"yes", "y", "true", "1"}), frozenset({"no", "n", "false", "0"})
_CHANNELS: Final = {
    "x": "x",
    "twitter": "x",
    "x (twitter)": "x",
    "facebook": "facebook",
    "facebook page": "facebook",
    "linkedin": "linkedin",
}
_BASES: Final = {"consent": Basis.CONSENT, "public task": Basis.PUBLIC_TASK, "public_task": Basis.PUBLIC_TASK}


@dataclass(frozen=True)
class Line:
    """What one line of the file does. `who` is for the page alone and is never logged."""

    number: int
    outcome: Outcome
    who: str
    what: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What the whole file does."""

    kind: Kind
    lines: tuple[Line, ...]
    table: Table

    @property
    def counts(self) -> Mapping[str, int]:
        """How many lines do what."""
        counted = Counter(line.outcome for line in self.lines)
        return {outcome: counted[outcome] for outcome in Outcome}

    @property
    def digest(self) -> str:
        """Of the file and of everything it does: the same only while neither it nor the register changes."""
        told = [self.table.sha256, *([line.number, line.outcome, *line.what] for line in self.lines)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


class _Wrong(Exception):
    """A cell cannot be used; the text says which and why."""


Write = Callable[[], None]


def read(kind: Kind, data: bytes) -> Table:
    """Read a file of this kind, or refuse it with BadInput."""
    return read_table(data, needed=NEEDED[kind], known=COLUMNS[kind])


def compare(
    session: Session, kind: Kind, table: Table, *, by: int, now: datetime
) -> tuple[Plan, tuple[Write, ...], tuple[int, ...]]:
    """What the file would do, the writes that do it, and the ids of children whose permissions change."""
    pupils = {pupil.reference: pupil for pupil in session.scalars(select(Pupil))}
    comparing: _Roster | _Consents = (
        _Roster(session, pupils, table, now=now) if kind is Kind.ROSTER else _Consents(session, pupils, by=by, now=now)
    )
    lines = []
    for row in table.rows:
        reference = row.cells.get("pupil_id", "")
        try:
            lines.append(comparing.line(row, _reference(row)))
        except _Wrong as wrong:
            known = pupils.get(reference)
            who = known.full_name if known else reference[:40] or "?"
            lines.append(Line(row.number, Outcome.REFUSED, who, (str(wrong),)))
    return Plan(kind, tuple(lines), table), tuple(comparing.writes), tuple(comparing.touched)


class _Roster:
    """Compares the lines of a roster."""

    def __init__(self, session: Session, pupils: Mapping[str, Pupil], table: Table, *, now: datetime) -> None:
        self.session, self.pupils, self.now = session, pupils, now
        self.columns = table.columns
        self.seen: dict[str, int] = {}
        self.writes: list[Write] = []
        self.touched: list[int] = []

    def line(self, row: Row, reference: str) -> Line:
        if reference in self.seen:
            raise _Wrong(f"pupil_id: {reference} stands in line {self.seen[reference]} already")
        self.seen[reference] = row.number
        values: dict[str, Any] = {
            attribute: _short(row.cells[column], column, LONGEST[attribute], needed=column in NEEDED[Kind.ROSTER])
            for column, attribute in _ROSTER_TEXT.items()
            if column in self.columns
        }
        if "dob" in self.columns:
            values["born_on"] = self._birthday(row.cells["dob"])
        who = f"{values['first_name']} {values['last_name']}"
        known = self.pupils.get(reference)
        if known is None:
            self.writes.append(lambda: self.session.add(Pupil(reference=reference, created_at=self.now, **values)))
            return Line(row.number, Outcome.ADDED, who, (str(values.get("class_name", "")),))
        differing = {name: value for name, value in values.items() if getattr(known, name) != value}
        if not differing:
            return Line(row.number, Outcome.UNCHANGED, who)
        what = tuple(
            f"{_WORDS[name]}: {_spelt(getattr(known, name))} → {_spelt(value)}" for name, value in differing.items()
        )

        def write() -> None:
            for name, value in differing.items():
                setattr(known, name, value)

        self.writes.append(write)
        return Line(row.number, Outcome.CHANGED, who, what)

    def _birthday(self, cell: str) -> date | None:
        if not cell:
            return None
        born = _day(cell, "dob")
        if not may_be_birthday(born, today=london(self.now).date()):
            raise _Wrong(f"dob: {_spelt(born)} is not the birthday of a pupil")
        return born


class _Consents:
    """Compares the lines of a list of permissions."""

    def __init__(self, session: Session, pupils: Mapping[str, Pupil], *, by: int, now: datetime) -> None:
        self.session, self.pupils, self.by, self.now = session, pupils, by, now
        self.today = london(now).date()
        self.seen: dict[tuple[int, str], int] = {}
        self.writes: list[Write] = []
        self.touched: list[int] = []
        rows = session.scalars(select(Consent).where(Consent.purpose == Purpose.SOCIAL_MEDIA).order_by(Consent.id))
        self.newest = {(row.pupil_id, row.channel_kind): row for row in rows}

    def line(self, row: Row, reference: str) -> Line:
        pupil = self.pupils.get(reference)
        if pupil is None:
            raise _Wrong(f"pupil_id: {reference} is not on the roll. Import the roster first")
        values = self._values(row.cells)
        kind = values["channel_kind"]
        if (pupil.id, kind) in self.seen:
            raise _Wrong(f"channel: line {self.seen[pupil.id, kind]} answers for this pupil and channel already")
        self.seen[pupil.id, kind] = row.number
        known = self.newest.get((pupil.id, kind))
        told = f"{'X' if kind == 'x' else 'Facebook'}: {'yes' if values['allowed'] else 'no'}"
        if known is not None:
            if known.withdrawn_at is None and all(getattr(known, name) == value for name, value in values.items()):
                return Line(row.number, Outcome.UNCHANGED, pupil.full_name, (told,))
            self._check_newer(known, values)
            before = "withdrawn" if known.withdrawn_at else "yes" if known.allowed else "no"
            told = f"{told} (was: {before})"

        def write() -> None:
            self.session.add(
                Consent(
                    pupil_id=pupil.id,
                    purpose=Purpose.SOCIAL_MEDIA,
                    recorded_by=self.by,
                    recorded_at=self.now,
                    **values,
                )
            )

        self.writes.append(write)
        self.touched.append(pupil.id)
        ends = f", until {_spelt(values['expires_on'])}" if values["expires_on"] else ""
        what = f"{told}, given {_spelt(values['given_on'])}{ends}"
        return Line(row.number, Outcome.CHANGED if known else Outcome.ADDED, pupil.full_name, (what,))

    def _check_newer(self, known: Consent, values: Mapping[str, Any]) -> None:
        """An old list must not bring back what a family has taken back since."""
        given: date = values["given_on"]
        if values["allowed"] and known.withdrawn_at is not None and given <= london(known.withdrawn_at).date():
            raise _Wrong(
                f"given_on: the permission was withdrawn on {_spelt(london(known.withdrawn_at).date())}; "
                "a new one must be given after that"
            )
        if values["allowed"] and given < known.given_on:
            raise _Wrong(f"given_on: the register holds an answer given later, on {_spelt(known.given_on)}")
        if values["allowed"] and not known.allowed and given == known.given_on:
            # the list cannot say which came last, and in doubt a family's no stands
            raise _Wrong(
                f"given_on: the register holds a no of the same day, {_spelt(given)}; a new yes is given later"
            )

    def _values(self, cells: Mapping[str, str]) -> dict[str, Any]:
        kind = _CHANNELS.get(cells["channel"].lower())
        if kind is None:
            raise _Wrong("channel: must be x, facebook or linkedin")
        answer = cells["allowed"].lower()
        if answer not in _YES | _NO:
            raise _Wrong("allowed: must be yes or no")
        allowed = answer in _YES
        basis = _BASES.get(cells.get("basis", "").lower() or ("" if allowed else "consent"))
        if basis is None:
            raise _Wrong("basis: must be consent or public task")
        given = _day(cells["given_on"], "given_on")
        if given > self.today:
            raise _Wrong(f"given_on: {_spelt(given)} is in the future")
        ends = _day(cells["expires_on"], "expires_on") if cells.get("expires_on") else None
        if ends is not None and ends < given:
            raise _Wrong("expires_on: is before given_on")
        return {
            "channel_kind": kind,
            "allowed": allowed,
            "basis": str(basis),
            "given_on": given,
            "expires_on": ends,
            "note": cells.get("note", ""),
        }


_WORDS: Final = {
    "first_name": "first name",
    "last_name": "last name",
    "known_as": "known as",
    "year": "year",
    "class_name": "class",
    "born_on": "date of birth",
}


def _reference(row: Row) -> str:
    if row.fault:
        raise _Wrong(row.fault)
    return _short(row.cells["pupil_id"], "pupil_id", LONGEST["reference"], needed=True)


def _short(cell: str, column: str, longest: int, *, needed: bool) -> str:
    if needed and not cell:
        raise _Wrong(f"{column}: is empty")
    if len(cell) > longest:
        raise _Wrong(f"{column}: is longer than {longest} characters")
    return cell


def _day(cell: str, column: str) -> date:
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"):
        try:
            found = datetime.strptime(cell, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        if found.year >= 1900:  # noqa: PLR2004 - a two-figure year reads as the first century
            return found
    raise _Wrong(f"{column}: {cell[:20] or 'nothing'} is not a date such as 2026-09-01 or 01/09/2026")


def _spelt(value: object) -> str:
    if isinstance(value, date):
        return f"{value.day:02}/{value.month:02}/{value.year}"
    return str(value) if value else "(empty)"
