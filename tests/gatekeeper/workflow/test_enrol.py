"""Enrolment: whoever may not be is not, one clear face or a sentence, and no photo stays behind."""

import io
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotFound, NotScanned, SettingsError
from gatekeeper.faces.boxes import Box, Face
from gatekeeper.faces.template_seal import CannotBeOpened, Place, TemplateKeys, make_key
from gatekeeper.people.biometric import Said
from gatekeeper.people.consent import Purpose
from gatekeeper.people.staff import Audit
from gatekeeper.people.templates import Enrolment, FaceTemplate, end_of_school_year
from gatekeeper.workflow import consents, enrol, recognition, sweep
from gatekeeper.workflow.school import record_dpia, remove_dpia
from tests.conftest import ToldClock
from tests.factories.enrolled import EnrolledSchool, drawing

FACE = Face(Box(200, 100, 320, 240), 0.95, "drawn")


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> EnrolledSchool:
    made = EnrolledSchool(sqlite_database, tmp_path, clock)
    made.finder.faces = [FACE]
    return made


def photo(value: float = 1.0) -> bytes:
    stored = io.BytesIO()
    drawing((FACE.box, value)).save(stored, "PNG")
    return stored.getvalue()


def offer(school: EnrolledSchool, *photos: bytes, name: str = "Wren") -> int:
    """The lead takes photos of a pupil."""
    return enrol.add_photos(school.services, school.pupils[name], photos, by=school.lead)


def ask(school: EnrolledSchool, value: float = 1.0) -> int:
    """A photo of Wren that was taken in and waits to be looked at; its id."""
    stored, services = io.BytesIO(), school.services
    drawing((FACE.box, value)).save(stored, "JPEG", quality=95)
    with services.db.begin() as session:
        waiting = Enrolment(
            pupil_id=school.pupils["Wren"],
            media_sha256=recognition.photo_store(services).put(stored.getvalue(), ".jpg"),
            asked_by=school.lead,
            asked_at=services.clock.now(),
        )
        session.add(waiting)
        session.flush()
        return waiting.id


def row(school: EnrolledSchool, enrolment_id: int) -> Enrolment:
    with school.services.db.read() as session:
        return session.get_one(Enrolment, enrolment_id)


def templates(school: EnrolledSchool) -> list[FaceTemplate]:
    with school.services.db.read() as session:
        return list(session.scalars(select(FaceTemplate).order_by(FaceTemplate.id)))


def photos_left(school: EnrolledSchool) -> int:
    return sum(path.is_file() for path in recognition.photo_store(school.services).root.rglob("*"))


def test_a_photo_becomes_sealed_numbers_and_is_gone(school: EnrolledSchool) -> None:
    assert offer(school, photo(1.2)) == 1
    with school.services.db.read() as session:
        waiting = session.scalars(select(Enrolment.id)).one()
        assert session.scalars(select(jobs.Order.subject_id).where(jobs.Order.job == "enrol")).all() == [waiting]
    assert row(school, waiting).state == "waiting"
    assert photos_left(school) == 1
    enrol.enrol(school.services, waiting)
    done = row(school, waiting)
    assert (done.state, done.media_sha256, done.sentence) == ("done", "", "")
    assert photos_left(school) == 0
    (template,) = templates(school)
    assert (template.pupil_id, template.made_by, template.expires_on) == (
        school.pupils["Wren"],
        school.lead,
        date(2027, 8, 31),
    )
    place = Place(row=template.id, pupil=template.pupil_id)
    opened = TemplateKeys(school.key).open(template.sealed, place, key_id=template.key_id)
    assert opened[0] == pytest.approx(1.2, abs=0.03)
    enrol.enrol(school.services, waiting)  # a job may come twice
    assert len(templates(school)) == 1


def _objects(said: Said) -> Callable[[EnrolledSchool], None]:
    return lambda school: school.ask_family("Wren", said)


REFUSED: dict[str, Callable[[EnrolledSchool], object]] = {
    "off": lambda school: remove_dpia(school.services, by=school.administrator),
    "withdrawn": lambda school: consents.withdraw_consent(
        school.services, school.pupils["Wren"], "any", Purpose.BIOMETRIC, by=school.lead
    ),
    "a parent objects": _objects(Said.PARENT_OBJECTS),
    "the pupil objects": _objects(Said.CHILD_OBJECTS),
    "nobody consented in writing": _objects(Said.NOT_GIVEN),
    "run out": lambda school: school.ask_family("Wren", expires_on=date(2026, 11, 22)),
    "never publish": lambda school: consents.mark_never(
        school.services, school.pupils["Wren"], reason="Court order", by=school.lead
    ),
    "left": lambda school: consents.set_leaver(
        school.services, school.pupils["Wren"], left_on=date(2026, 11, 22), by=school.lead
    ),
}


@pytest.mark.parametrize("no", REFUSED)
def test_cannot_enrol_a_pupil_who_may_not_be_matched(school: EnrolledSchool, no: str) -> None:
    REFUSED[no](school)
    with pytest.raises(Conflict):
        offer(school, photo())
    assert photos_left(school) == 0


def test_cannot_enrol_a_pupil_of_whom_nothing_is_on_record(school: EnrolledSchool) -> None:
    with pytest.raises(Conflict, match="Nothing on record"):
        offer(school, photo(), name="Isolde")


@pytest.mark.parametrize("no", REFUSED)
def test_a_no_deletes_the_templates_with_it_and_the_photos_that_wait(school: EnrolledSchool, no: str) -> None:
    school.enrolled("Wren", 1.0, 1.1)
    school.enrolled("Jonty", 1.5)
    waiting = ask(school)
    REFUSED[no](school)
    assert {t.pupil_id for t in templates(school)} == (set() if no == "off" else {school.pupils["Jonty"]})
    with school.services.db.read() as session:
        assert session.scalars(select(jobs.Order.subject_id).where(jobs.Order.job == "enrol")).all() == [waiting]
        gone = session.scalars(select(Audit).where(Audit.action == "templates.deleted")).all()
    assert (f"pupil:{school.pupils['Wren']}", {"number": 2}) in [(line.subject, line.detail) for line in gone]
    enrol.enrol(school.services, waiting)
    assert (row(school, waiting).state, photos_left(school)) == ("refused", 0)
    assert school.encoder.asked == []


def test_a_refused_withdrawal_deletes_nothing(school: EnrolledSchool) -> None:
    """The deletion stands in the transaction of the no: when that fails, so does it."""
    school.enrolled("Wren", 1.0)
    with pytest.raises(RuntimeError), school.services.step() as session:
        wren = session.get_one(consents.Pupil, school.pupils["Wren"])
        wren.never_publish, wren.never_by, wren.never_at = True, school.lead, school.services.clock.now()
        consents.changed(session, wren.id, by=school.lead, now=school.services.clock.now())
        raise RuntimeError
    assert len(templates(school)) == 1


def test_a_no_that_comes_while_the_photo_is_looked_at_is_heeded(school: EnrolledSchool) -> None:
    waiting = ask(school)
    detect = school.finder.detect

    def meanwhile(pixels: object) -> list[Face]:
        school.ask_family("Wren", Said.CHILD_OBJECTS)
        return detect(pixels)  # type: ignore[arg-type]

    school.finder.detect = meanwhile  # type: ignore[method-assign, assignment]
    enrol.enrol(school.services, waiting)
    assert templates(school) == []
    assert (row(school, waiting).sentence, photos_left(school)) == (
        "The pupil objects. That beats every consent.",
        0,
    )


def test_a_renewed_consent_carries_the_templates_on(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    before = templates(school)[0].consent_id
    school.ask_family("Wren", given_on=date(2026, 11, 20))
    assert templates(school)[0].consent_id > before


SMALL = Face(Box(200, 100, 279, 240), 0.95, "drawn")
TWO = [FACE, Face(Box(400, 100, 450, 160), 0.5, "drawn")]


@pytest.mark.parametrize(
    ("faces", "words"),
    [
        pytest.param([], "No face was found", id="none"),
        pytest.param([Face(Box(5, 5, 30, 40), 0.9, "drawn")], "No face was found", id="only-far-away"),
        pytest.param(TWO, "More than one face", id="two"),
        pytest.param([SMALL], "too small", id="small"),
        pytest.param([replace(FACE, score=0.6)], "not clear", id="not-clear"),
    ],
)
def test_cannot_use_a_photo_without_exactly_one_clear_face(
    school: EnrolledSchool, faces: list[Face], words: str
) -> None:
    school.finder.faces = faces
    waiting = ask(school)
    enrol.enrol(school.services, waiting)
    refused = row(school, waiting)
    assert refused.state == "refused"
    assert words in refused.sentence
    assert (templates(school), photos_left(school)) == ([], 0)


def test_half_of_the_same_face_is_nobody_else_unless_the_detectors_are_sure(school: EnrolledSchool) -> None:
    half = Face(Box(170, 100, 270, 200), 0.61, "drawn")
    assert enrol.the_one_clear_face([half, FACE]) == FACE.box
    for other in (replace(half, score=0.85), Face(Box(100, 100, 220, 200), 0.61, "drawn")):
        with pytest.raises(enrol.Unfit, match="More than one"):
            enrol.the_one_clear_face([other, FACE])


def test_somebody_tiny_behind_the_pupil_does_no_harm(school: EnrolledSchool) -> None:
    school.finder.faces = [Face(Box(5, 5, 30, 40), 0.9, "drawn"), FACE]
    waiting = ask(school)
    enrol.enrol(school.services, waiting)
    assert row(school, waiting).state == "done"


def test_cannot_use_a_face_the_encoder_makes_nothing_of(school: EnrolledSchool) -> None:
    school.encoder.blind = True
    waiting = ask(school)
    enrol.enrol(school.services, waiting)
    assert "could not be made out" in row(school, waiting).sentence


def test_cannot_add_a_photo_of_another_child_to_a_pupil(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    waiting = ask(school, 1.9)
    enrol.enrol(school.services, waiting)
    assert "does not look like" in row(school, waiting).sentence
    assert len(templates(school)) == 1


def test_a_check_that_could_not_look_waits_and_in_the_end_deletes_the_photo(school: EnrolledSchool) -> None:
    school.encoder.fails = NotScanned("The faces could not be compared.")
    waiting = ask(school)
    with pytest.raises(NotScanned):
        enrol.enrol(school.services, waiting)
    assert (row(school, waiting).state, photos_left(school)) == ("waiting", 1)
    enrol.give_up(school.services, waiting, "The faces could not be compared.")
    assert (row(school, waiting).state, photos_left(school)) == ("refused", 0)


def test_the_web_process_holds_no_key_and_can_make_no_template(school: EnrolledSchool) -> None:
    waiting = ask(school)
    web = replace(school.services, settings=replace(school.services.settings, process="web"))
    with pytest.raises(SettingsError, match="may not hold TEMPLATE_KEY"):
        enrol.enrol(web, waiting)
    assert templates(school) == []


@pytest.mark.parametrize(
    ("photos", "words"),
    [
        ([], "at least one"),
        ([b"no picture"], "not a picture"),
        ([photo(), b"no picture"], "Photo 2: "),
        ([photo()] * 6, "At most 5"),
    ],
    ids=["none", "no-picture", "second-is-none", "six"],
)
def test_cannot_take_photos_that_are_none_or_too_many(school: EnrolledSchool, photos: list[bytes], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        offer(school, *photos)
    assert words in caught.value.fields["photos"]
    with school.services.db.read() as session:
        assert session.scalars(select(Enrolment)).all() == []


def test_five_photos_of_a_pupil_are_enough(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0, 1.0, 1.0, 1.0)
    ask(school)
    with pytest.raises(BadInput, match="5 photos of this pupil already"):
        offer(school, photo())


def test_cannot_take_the_same_photo_twice_at_once(school: EnrolledSchool) -> None:
    assert offer(school, photo(), photo()) == 1
    with pytest.raises(BadInput, match="already"):
        offer(school, photo(), name="Jonty")


def test_a_deleted_template_is_gone_and_written_down(school: EnrolledSchool) -> None:
    (one,) = school.enrolled("Wren", 1.0)
    assert enrol.delete_template(school.services, one, by=school.lead) == school.pupils["Wren"]
    assert templates(school) == []
    with pytest.raises(NotFound):
        enrol.delete_template(school.services, one, by=school.lead)
    with school.services.db.read() as session:
        line = session.scalars(select(Audit).where(Audit.action == "templates.deleted")).one()
    assert (line.staff_id, line.detail) == (school.lead, {"number": 1})


def test_templates_end_with_the_school_year_with_the_consent_and_with_the_last_day(
    school: EnrolledSchool, clock: ToldClock
) -> None:
    school.ask_family("Jonty", expires_on=date(2026, 12, 31))
    school.enrolled("Wren", 1.0)
    school.enrolled("Jonty", 1.5)
    for name in ("Isolde", "Fenella"):
        school.pupil(name)
        school.ask_family(name)
        school.enrolled(name, 1.0)
    consents.set_leaver(school.services, school.pupils["Isolde"], left_on=date(2027, 1, 2), by=school.lead)
    recognition.clean(school.services)
    assert len(templates(school)) == 4
    for moment, left in (
        (datetime(2027, 1, 1, 9, tzinfo=UTC), {"Wren", "Isolde", "Fenella"}),
        (datetime(2027, 1, 3, 9, tzinfo=UTC), {"Wren", "Fenella"}),
        (datetime(2027, 8, 31, 9, tzinfo=UTC), {"Wren", "Fenella"}),
        (datetime(2027, 9, 1, 9, tzinfo=UTC), set()),
    ):
        clock.moment = moment
        sweep.run(school.services)
        assert {t.pupil_id for t in templates(school)} == {school.pupils[name] for name in left}


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 9, 1), date(2027, 8, 31)),
        (date(2027, 2, 28), date(2027, 8, 31)),
        (date(2027, 8, 31), date(2027, 8, 31)),
        (date(2027, 9, 1), date(2028, 8, 31)),
    ],
)
def test_the_school_year_ends_in_august(day: date, end: date) -> None:
    assert end_of_school_year(day) == end


def test_a_photo_is_gone_after_an_hour_whatever_happened(school: EnrolledSchool, clock: ToldClock) -> None:
    import os

    waiting = ask(school)
    store = recognition.photo_store(school.services)
    orphan = store.path(store.put(photo(1.9), ".jpg"))
    for path in (orphan, store.path(row(school, waiting).media_sha256)):
        os.utime(path, (clock.now().timestamp(),) * 2)
    clock.advance(minutes=59)
    recognition.clean(school.services)
    assert (row(school, waiting).state, photos_left(school)) == ("waiting", 2)
    clock.advance(minutes=2)
    recognition.clean(school.services)
    assert (row(school, waiting).state, photos_left(school)) == ("refused", 0)
    assert "take it again" in row(school, waiting).sentence


def test_a_photo_that_vanished_is_said_so(school: EnrolledSchool) -> None:
    waiting = ask(school)
    recognition.photo_store(school.services).remove(row(school, waiting).media_sha256)
    enrol.enrol(school.services, waiting)
    assert "is gone" in row(school, waiting).sentence


def test_a_new_key_seals_everything_anew_and_the_old_one_can_go(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    new = make_key()
    school.with_keys(new, school.key)
    enrol.seal_anew(school.services)
    (template,) = templates(school)
    place = Place(row=template.id, pupil=template.pupil_id)
    assert TemplateKeys(new).open(template.sealed, place, key_id=template.key_id)[0] == pytest.approx(1.0)
    with pytest.raises(CannotBeOpened):
        TemplateKeys(school.key).open(template.sealed, place, key_id=template.key_id)
    before = template.sealed
    enrol.seal_anew(school.services)
    assert templates(school)[0].sealed == before


def test_a_template_whose_key_is_gone_is_said_by_its_number(
    school: EnrolledSchool, caplog: pytest.LogCaptureFixture
) -> None:
    (one,) = school.enrolled("Wren", 1.0)
    before = templates(school)[0].sealed
    school.with_keys(make_key())
    with caplog.at_level(logging.WARNING):
        enrol.seal_anew(school.services)
    assert f"template {one} cannot be opened" in caplog.text
    assert templates(school)[0].sealed == before


def test_sealing_anew_is_ordered_only_where_there_are_templates(school: EnrolledSchool) -> None:
    enrol.order_seal_anew(school.services)
    with school.services.db.read() as session:
        assert session.scalars(select(jobs.Order)).all() == []
    school.enrolled("Wren", 1.0)
    enrol.order_seal_anew(school.services)
    with school.services.db.read() as session:
        assert session.scalars(select(jobs.Order.job)).all() == ["reseal"]


def test_the_record_is_whole_or_matching_is_off(school: EnrolledSchool) -> None:
    with school.services.db.read() as session:
        assert recognition.is_on(session)
    remove_dpia(school.services, by=school.administrator)
    with school.services.db.read() as session:
        assert not recognition.is_on(session)
    for wrong in ({"reference": ""}, {"dpo": " "}, {"day": None}, {"day": date(2026, 11, 24)}):
        given = {"reference": "DPIA-9", "dpo": "Ann Lister", "day": date(2026, 11, 2), **wrong}
        with pytest.raises(BadInput):
            record_dpia(school.services, by=school.administrator, **given)  # type: ignore[arg-type]
    with school.services.db.read() as session:
        assert not recognition.is_on(session)


def test_lost_orders_of_waiting_photos_are_found_again(school: EnrolledSchool) -> None:
    waiting = ask(school)
    sweep.run(school.services)
    with school.services.db.read() as session:
        assert session.scalars(select(jobs.Order.subject_id).where(jobs.Order.job == "enrol")).all() == [waiting]
