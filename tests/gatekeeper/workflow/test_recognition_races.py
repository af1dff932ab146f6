"""A no and a template in the same moment, on both databases: whichever comes first, nothing is left."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.faces.boxes import Box, Face
from gatekeeper.people.biometric import Said
from gatekeeper.people.templates import Enrolment, FaceTemplate
from gatekeeper.workflow import enrol, recognition
from tests.conftest import ToldClock
from tests.factories.enrolled import EnrolledSchool, drawing

FACE = Face(Box(200, 100, 320, 240), 0.95, "drawn")


@pytest.fixture
def school(database: Database, tmp_path: Path, clock: ToldClock) -> EnrolledSchool:
    made = EnrolledSchool(database, tmp_path, clock)
    made.finder.faces = [FACE]
    return made


def waiting(school: EnrolledSchool, tmp_path: Path) -> int:
    picture = tmp_path / "taken.jpg"
    drawing((FACE.box, 1.0)).save(picture, quality=95)
    with school.services.db.begin() as session:
        digest = recognition.photo_store(school.services).put(picture.read_bytes(), ".jpg")
        row = Enrolment(
            pupil_id=school.pupils["Wren"], media_sha256=digest, asked_by=school.lead,
            asked_at=school.services.clock.now() - timedelta(minutes=1),
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id


def templates(school: EnrolledSchool) -> list[int]:
    with school.services.db.read() as session:
        return list(session.scalars(select(FaceTemplate.id)))


def test_a_no_recorded_while_the_template_is_written_deletes_it(
    school: EnrolledSchool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment_id, add = waiting(school, tmp_path), enrol._add_template
    no = threading.Thread(target=school.ask_family, args=("Wren", Said.CHILD_OBJECTS))

    def slowly(*parts: Any, **more: Any) -> None:
        add(*parts, **more)
        no.start()
        no.join(timeout=0.4)
        assert no.is_alive(), "the no must wait until the template is written, to see it"

    monkeypatch.setattr(enrol, "_add_template", slowly)
    enrol.enrol(school.services, enrolment_id)
    no.join(timeout=20)
    assert not no.is_alive()
    assert templates(school) == []


def test_no_template_is_written_while_a_no_is_being_recorded(school: EnrolledSchool, tmp_path: Path) -> None:
    enrolment_id = waiting(school, tmp_path)
    writing = threading.Thread(target=enrol.enrol, args=(school.services, enrolment_id))
    with school.services.step() as session:
        pupil = session.get_one(recognition.Pupil, school.pupils["Wren"])
        pupil.never_publish, pupil.never_by, pupil.never_at = True, school.lead, school.services.clock.now()
        recognition.forget_unfounded(session, now=school.services.clock.now(), pupil_id=pupil.id)
        writing.start()
        writing.join(timeout=1.0)
        assert writing.is_alive(), "the template must wait until the no is written, to see it"
    writing.join(timeout=20)
    assert not writing.is_alive()
    assert templates(school) == []


def test_the_same_rows_are_kept_and_deleted_on_both_databases(school: EnrolledSchool) -> None:
    kept = school.enrolled("Jonty", 1.5)
    school.enrolled("Wren", 1.0)
    school.ask_family("Wren", Said.PARENT_OBJECTS)
    recognition.clean(school.services)
    assert templates(school) == kept
