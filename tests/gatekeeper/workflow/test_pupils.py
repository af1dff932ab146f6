"""Adding and correcting one child: every mistake is told at its field, and no name leaves the roll."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, NotFound
from gatekeeper.people.consent import answer_for
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Audit, Role
from gatekeeper.workflow import pupils
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

NEW = {"reference": "Q0100", "first_name": "Zoë", "last_name": "Farah-Lind", "class_name": "Oak", "year": "Year 4"}


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


@pytest.fixture
def lead(school: School) -> int:
    return school.staff[Role.CONSENT_LEAD]


def details(**changes: Any) -> pupils.PupilDetails:
    return pupils.PupilDetails(**{**NEW, **changes})


def of_wren(**changes: Any) -> pupils.PupilDetails:
    same = {"reference": "Q0001", "first_name": "Wren", "last_name": "Applethwaite", "class_name": "Heron"}
    return pupils.PupilDetails(**{**same, "year": "Year 3", **changes})


def count(school: School) -> int:
    with school.services.db.read() as session:
        return session.scalar(select(func.count(Pupil.id))) or 0


def test_a_pupil_is_added_without_any_permission(school: School, lead: int) -> None:
    made = pupils.add_pupil(
        school.services, details(first_name="  Zoe\u0308 ", known_as="Zo", born_on=date(2018, 5, 4)), by=lead
    )
    with school.services.db.read() as session:
        pupil = session.get_one(Pupil, made)
        assert (pupil.reference, pupil.first_name, pupil.last_name) == ("Q0100", "Zoë", "Farah-Lind")
        assert (pupil.known_as, pupil.year, pupil.class_name, pupil.born_on) == (
            "Zo",
            "Year 4",
            "Oak",
            date(2018, 5, 4),
        )
        assert not answer_for(session, pupil, "x", today=date(2026, 11, 23), words="X").allowed


def test_the_audit_says_what_was_done_and_names_nobody(school: School, lead: int) -> None:
    made = pupils.add_pupil(school.services, details(), by=lead)
    assert pupils.edit_pupil(school.services, made, details(last_name="Lind", class_name="Elm"), by=lead)
    with school.services.db.read() as session:
        added, edited = session.scalars(select(Audit).order_by(Audit.id)).all()
    assert (added.action, added.subject, added.staff_id, added.detail) == ("pupil.added", f"pupil:{made}", lead, {})
    assert (edited.action, edited.subject) == ("pupil.edited", f"pupil:{made}")
    assert edited.detail == {"changed": ["last name", "class"]}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"reference": "  "}, "reference"),
        ({"reference": "9" * 41}, "reference"),
        ({"first_name": ""}, "first_name"),
        ({"first_name": "Zoë\x00"}, "first_name"),
        ({"first_name": "123"}, "first_name"),
        ({"last_name": ""}, "last_name"),
        ({"last_name": "F" * 81}, "last_name"),
        ({"known_as": "Z" * 81}, "known_as"),
        ({"year": "Y" * 41}, "year"),
        ({"class_name": "O" * 41}, "class_name"),
        ({"born_on": date(2026, 11, 24)}, "born_on"),
        ({"born_on": date(1986, 5, 4)}, "born_on"),
    ],
)
def test_cannot_add_or_keep_what_cannot_be_right(school: School, lead: int, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        pupils.add_pupil(school.services, details(**wrong), by=lead)
    assert list(refused.value.fields) == [field]
    with pytest.raises(BadInput) as refused:
        pupils.edit_pupil(school.services, school.pupils["Wren"], of_wren(**wrong), by=lead)
    assert list(refused.value.fields) == [field]
    assert count(school) == 3


def test_everything_wrong_is_told_at_once(school: School, lead: int) -> None:
    with pytest.raises(BadInput) as refused:
        pupils.add_pupil(school.services, details(reference="", first_name="", last_name=""), by=lead)
    assert set(refused.value.fields) == {"reference", "first_name", "last_name"}


def test_cannot_give_one_number_to_two_pupils(school: School, lead: int) -> None:
    for number in ("Q0001", "q0001", " Q0001 "):
        with pytest.raises(BadInput, match="marked") as refused:
            pupils.add_pupil(school.services, details(reference=number), by=lead)
        assert "belongs to another pupil" in refused.value.fields["reference"]
        assert "Wren" not in str(refused.value.fields)
    with pytest.raises(BadInput) as refused:
        pupils.edit_pupil(school.services, school.pupils["Jonty"], of_wren(first_name="Jonty"), by=lead)
    assert list(refused.value.fields) == ["reference"]
    assert count(school) == 3


def test_cannot_put_the_same_child_on_the_roll_twice(school: School, lead: int) -> None:
    pupils.add_pupil(school.services, details(born_on=date(2018, 5, 4)), by=lead)
    again = details(reference="Q0101", first_name="ZOË", class_name="Elm", born_on=date(2018, 5, 4))
    with pytest.raises(BadInput) as refused:
        pupils.add_pupil(school.services, again, by=lead)
    assert "with another number" in refused.value.fields["last_name"]


def test_two_pupils_of_one_name_need_their_birthdays(school: School, lead: int) -> None:
    pupils.add_pupil(school.services, details(born_on=date(2018, 5, 4)), by=lead)
    with pytest.raises(BadInput) as refused:
        pupils.add_pupil(school.services, details(reference="Q0101"), by=lead)
    assert "date of birth" in refused.value.fields["last_name"]
    assert pupils.add_pupil(school.services, details(reference="Q0101", born_on=date(2018, 9, 1)), by=lead)
    assert pupils.add_pupil(school.services, details(reference="Q0102", class_name="Elm"), by=lead)


def test_saving_what_is_there_changes_and_writes_nothing(school: School, lead: int) -> None:
    assert not pupils.edit_pupil(school.services, school.pupils["Wren"], of_wren(), by=lead)
    with school.services.db.read() as session:
        assert session.scalar(select(func.count(Audit.id))) == 0


def test_cannot_correct_a_pupil_who_is_not_there(school: School, lead: int) -> None:
    with pytest.raises(NotFound):
        pupils.edit_pupil(school.services, 999, details(), by=lead)
