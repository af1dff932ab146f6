"""Finding a pupil for a face: a class by its names alone, the register's answer for one child at a time, all audited."""

from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, NotFound
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.posts.model import Face, Post
from gatekeeper.posts.status import FaceState
from gatekeeper.workflow.ask_register import class_list, classes_on_roll, pupil_answer, pupil_search, staff_names
from tests.conftest import ToldClock
from tests.factories.school import School, make_services


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


@pytest.fixture
def face(school: School) -> int:
    post_id = school.post(photos=1, kinds=("x",))
    with school.services.db.begin() as session:
        (photo,) = session.get_one(Post, post_id).photos
        photo.faces.append(Face(x1=20, y1=40, x2=80, y2=110, score=0.95, source="detector"))
        session.flush()
        return photo.faces[0].id


def questions(school: School) -> list[tuple[str, object]]:
    with school.services.db.read() as session:
        rows = session.scalars(select(Audit).where(Audit.action.like("register.%")).order_by(Audit.id))
        return [(row.action, {key: row.detail[key] for key in ("matches", "answered")}) for row in rows]


def test_a_class_is_listed_by_names_alone(school: School, face: int) -> None:
    """A list of a whole class's permissions would tell who may not be shown (policy: that list is itself sensitive)."""
    told = class_list(school.services, face, by=school.author, class_name="Heron")
    assert [match.name for match in told.found] == ["Isolde Applethwaite", "Jonty Applethwaite", "Wren Applethwaite"]
    assert {(match.sentence, match.allowed) for match in told.found} == {("", None)}
    assert questions(school) == [("register.class_listed", {"matches": 3, "answered": 0})]


def test_the_search_field_gives_no_answers_for_a_class_either(school: School, face: int) -> None:
    told = pupil_search(school.services, face, by=school.author, query="heron")
    assert len(told.found) == 3  # few enough for answers, were they found by name
    assert {match.allowed for match in told.found} == {None}


def test_a_class_lists_nobody_who_has_left(school: School, face: int) -> None:
    with school.services.db.begin() as session:
        wren = session.get_one(Pupil, school.pupils["Wren"])
        wren.left_on = school.services.clock.now().date().replace(month=1)
    told = class_list(school.services, face, by=school.author, class_name="Heron")
    assert [match.name for match in told.found] == ["Isolde Applethwaite", "Jonty Applethwaite"]


@pytest.mark.parametrize("name", ["", "Kingfisher", "%", "heron "])
def test_cannot_list_a_class_that_is_not_on_the_roll(school: School, face: int, name: str) -> None:
    with pytest.raises(BadInput, match="Choose a class"):
        class_list(school.services, face, by=school.author, class_name=name)


@pytest.mark.parametrize(
    ("name", "allowed", "said"),
    [("Wren", True, "May be shown on X."), ("Isolde", False, "No permission on record for X.")],
)
def test_choosing_one_pupil_gives_that_answer_and_clears_nothing(
    school: School, face: int, name: str, said: str, *, allowed: bool
) -> None:
    told = pupil_answer(school.services, face, by=school.author, pupil_id=school.pupils[name])
    assert [(match.name, match.allowed, match.sentence) for match in told.found] == [
        (f"{name} Applethwaite", allowed, said)
    ]
    with school.services.db.read() as session:
        assert session.get_one(Face, face).state == FaceState.UNKNOWN
    assert questions(school) == [("register.asked", {"matches": 1, "answered": 1})]


def test_cannot_ask_about_nobody_or_for_nowhere(school: School, face: int) -> None:
    for pupil_id in (None, 999_999):
        with pytest.raises(BadInput, match="Choose the pupil"):
            pupil_answer(school.services, face, by=school.author, pupil_id=pupil_id)
    with school.services.db.begin() as session:
        session.scalars(select(Post)).one().channels = []
    with pytest.raises(BadInput, match="channels first"):
        pupil_answer(school.services, face, by=school.author, pupil_id=school.pupils["Wren"])


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUTHOR])
def test_nobody_asks_at_anothers_face(school: School, face: int, role: Role) -> None:
    by, services = school.staff[role], school.services
    with pytest.raises(NotFound):
        class_list(services, face, by=by, class_name="Heron")
    with pytest.raises(NotFound):
        pupil_answer(services, face, by=by, pupil_id=school.pupils["Wren"])
    assert questions(school) == []


def test_what_can_be_chosen_is_what_there_is(school: School) -> None:
    with school.services.db.begin() as session:
        session.get_one(Staff, school.staff[Role.AUDITOR]).active = False
        names = staff_names(session, today=school.services.clock.now().date())
        assert "Mx Author Quarry" in names
        assert "Mx Auditor Quarry" not in names
        assert classes_on_roll(session) == ("Heron",)
