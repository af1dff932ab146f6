"""The text engine, told of this school: its pupils, its staff, its own words and its own rules."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from gatekeeper.people.pupils import Pupil
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Staff
from gatekeeper.text import checker
from gatekeeper.text.draft import Pupil as RollName
from gatekeeper.text.draft import SchoolWords, StaffName


def build_checker(session: Session) -> checker.Checker:
    """The text engine, told of this school's pupils, staff and own words."""
    pupils = session.scalars(select(Pupil))  # leavers too: a child does not become nameable by leaving
    staff = session.scalars(select(Staff).where(Staff.active))
    return checker.Checker(
        [
            RollName(
                id=str(p.id),
                first_name=p.first_name,
                last_name=p.last_name,
                known_as=p.known_as,
                year=p.year,
                class_name=p.class_name,
                dob=_iso(p.born_on),
            )
            for p in pupils
        ],
        [_staff_name(person.name) for person in staff],
        _school_words(session),
    )


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
