"""The jobs of the matching: each does what was ordered, once, and nothing without an order."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.errors import NotScanned
from gatekeeper.faces.boxes import Box, Face
from gatekeeper.faces.template_seal import make_key
from gatekeeper.people.templates import Enrolment, FaceTemplate
from gatekeeper.workflow import enrol as step
from gatekeeper.workflow.recognition import photo_store
from tests.conftest import ToldClock
from tests.factories.enrolled import EnrolledSchool, drawing
from workers import enrol, perform, suggest

FACE = Face(Box(200, 100, 320, 240), 0.95, "drawn")


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> Iterator[EnrolledSchool]:
    made = EnrolledSchool(sqlite_database, tmp_path, clock)
    made.finder.faces = [FACE]
    perform.use(made.services)
    yield made
    perform.use(None)


def waiting(school: EnrolledSchool, tmp_path: Path) -> int:
    picture = tmp_path / "taken.jpg"
    drawing((FACE.box, 1.0)).save(picture, quality=95)
    with school.services.db.begin() as session:
        now = school.services.clock.now()
        digest = photo_store(school.services).put(picture.read_bytes(), ".jpg")
        row = Enrolment(pupil_id=school.pupils["Wren"], media_sha256=digest, asked_by=school.lead, asked_at=now)
        session.add(row)
        session.flush()
        jobs.order(session, jobs.ENROL, row.id, now=now)
        return row.id


def orders(school: EnrolledSchool) -> list[str]:
    with school.services.db.read() as session:
        return list(session.scalars(select(jobs.Order.job)))


def test_an_ordered_enrolment_is_done_once(school: EnrolledSchool, tmp_path: Path) -> None:
    enrolment_id = waiting(school, tmp_path)
    enrol.run(enrolment_id)
    enrol.run(enrolment_id)
    with school.services.db.read() as session:
        assert session.get_one(Enrolment, enrolment_id).state == "done"
        assert len(session.scalars(select(FaceTemplate)).all()) == 1
    assert orders(school) == []


def test_an_enrolment_that_never_works_is_refused_after_its_tries_and_the_photo_is_gone(
    school: EnrolledSchool, clock: ToldClock, tmp_path: Path
) -> None:
    school.encoder.fails = NotScanned("The faces could not be compared.")
    enrolment_id = waiting(school, tmp_path)
    for _ in range(jobs.ENROL.tries):
        assert orders(school) == ["enrol"]
        enrol.run(enrolment_id)
        clock.advance(minutes=1)
    assert orders(school) == []
    with school.services.db.read() as session:
        assert session.get_one(Enrolment, enrolment_id).sentence == "The faces could not be compared."
    assert [path for path in photo_store(school.services).root.rglob("*") if path.is_file()] == []


def test_templates_are_sealed_anew_when_that_was_ordered(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    school.with_keys(make_key(), school.key)
    perform.use(school.services)
    enrol.reseal(0)
    with school.services.db.read() as session:
        before = session.scalars(select(FaceTemplate.key_id)).one()
    step.order_seal_anew(school.services)
    enrol.reseal(0)
    with school.services.db.read() as session:
        assert session.scalars(select(FaceTemplate.key_id)).one() != before
    assert orders(school) == []


def test_a_look_for_a_photo_that_is_gone_ends_quietly(school: EnrolledSchool) -> None:
    with school.services.db.begin() as session:
        jobs.order(session, jobs.SUGGEST, 999, now=school.services.clock.now())
    suggest.run(999)
    assert orders(school) == []
