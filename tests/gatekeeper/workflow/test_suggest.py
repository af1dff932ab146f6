"""Suggestions: only on, only within the named classes, only near enough; and never an answer."""

import logging
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotFound, NotScanned
from gatekeeper.faces.boxes import Box
from gatekeeper.faces.template_seal import make_key
from gatekeeper.people.biometric import Said
from gatekeeper.people.consent import Purpose
from gatekeeper.people.staff import Audit, Role
from gatekeeper.people.templates import FaceTemplate
from gatekeeper.posts.model import Face, FaceSuggestion, Photo, Post
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.workflow import consents, suggest
from gatekeeper.workflow.school import remove_dpia
from gatekeeper.workflow.suggest import Suggestion
from tests.conftest import ToldClock
from tests.factories.enrolled import EnrolledSchool, drawing

LEFT, RIGHT = Box(20, 40, 100, 130), Box(300, 40, 380, 130)


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> EnrolledSchool:
    return EnrolledSchool(sqlite_database, tmp_path, clock)


class Shown:
    """A photo in a post of the author, with faces nobody has answered for."""

    def __init__(
        self, school: EnrolledSchool, *faces: tuple[Box, float], classes: tuple[str, ...] = ("Heron",)
    ) -> None:
        self.school, self.pixels = school, np.asarray(drawing(*faces))
        self.post_id = school.post(photos=1)
        with school.services.db.begin() as session:
            photo = session.scalars(select(Photo).where(Photo.post_id == self.post_id)).one()
            photo.classes = list(classes)
            rows = [Face(x1=b.x1, y1=b.y1, x2=b.x2, y2=b.y2, score=0.9, source="detector") for b, _ in faces]
            photo.faces.extend(rows)
            session.flush()
            self.id, self.faces = photo.id, [row.id for row in rows]

    def look(self) -> None:
        suggest.suggest(self.school.services, self.id, self.pixels)

    def suggestions(self, face: int = 0) -> list[Suggestion]:
        with self.school.services.db.read() as session:
            return suggest.suggestions_for(session, self.faces).get(self.faces[face], [])

    def kept(self) -> int:
        with self.school.services.db.read() as session:
            return session.scalar(select(func.count()).select_from(FaceSuggestion)) or 0


def names(found: list[Suggestion]) -> list[str]:
    return [one.name.partition(" ")[0] for one in found]


def test_the_pupils_of_the_class_are_suggested_the_nearest_first(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 0.9, 1.0)
    school.enrolled("Jonty", 1.3)
    shown = Shown(school, (LEFT, 1.0), (RIGHT, 1.35))
    shown.look()
    assert names(shown.suggestions(0)) == ["Wren", "Jonty"]
    assert names(shown.suggestions(1)) == ["Jonty", "Wren"]
    (first, second) = shown.suggestions(0)
    assert (first.likely, second.likely) == (True, False)
    assert first == Suggestion(
        pupil_id=school.pupils["Wren"], name="Wren Applethwaite", class_name="Heron", likely=True
    )


def test_nothing_is_ever_cleared(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    shown = Shown(school, (LEFT, 1.0))
    shown.look()
    assert shown.suggestions()[0].likely
    with school.services.db.read() as session:
        face = session.get_one(Face, shown.faces[0])
        assert (face.state, face.pupil_id, face.resolved_by) == (FaceState.UNKNOWN, None, None)
        assert session.get_one(Post, shown.post_id).state == PostState.OPEN


@pytest.mark.parametrize("classes", [(), ("Kestrel",)], ids=["no-class-named", "another-class"])
def test_nobody_outside_the_named_classes_is_even_compared(school: EnrolledSchool, classes: tuple[str, ...]) -> None:
    school.enrolled("Wren", 1.0)
    shown = Shown(school, (LEFT, 1.0), classes=classes)
    shown.look()
    assert shown.kept() == 0
    assert school.encoder.asked == []


def test_only_the_pupils_of_the_named_class_are_suggested(school: EnrolledSchool) -> None:
    school.pupil("Jonty", class_name="Kestrel")
    school.enrolled("Wren", 1.2)
    school.enrolled("Jonty", 1.0)
    shown = Shown(school, (LEFT, 1.0))
    shown.look()
    assert names(shown.suggestions()) == ["Wren"]


def test_nobody_is_compared_while_it_is_off(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    with school.services.db.begin() as session:  # a template that should not be there does no harm either
        from gatekeeper.people.school import change_setting

        change_setting(session, "recognition", {"dpia_reference": "DPIA-9"}, by=None, now=school.services.clock.now())
    shown = Shown(school, (LEFT, 1.0))
    shown.look()
    assert shown.kept() == 0
    assert school.encoder.asked == []


@pytest.mark.parametrize("refused", ["withdrawn", "parent", "child", "never", "left", "expired", "consent over", "off"])
def test_whoever_may_not_be_matched_is_neither_compared_nor_still_suggested(
    school: EnrolledSchool, clock: ToldClock, refused: str
) -> None:
    """Each no deletes what there is at once; a second look finds nobody to compare with."""
    if refused == "consent over":
        school.ask_family("Wren", expires_on=date(2026, 11, 23))
    school.enrolled("Wren", 1.0, expires_on=date(2026, 11, 23 if refused == "expired" else 30))
    shown = Shown(school, (LEFT, 1.0))
    shown.look()
    assert shown.kept() == 1
    wren, services = school.pupils["Wren"], school.services
    match refused:
        case "withdrawn":
            consents.withdraw_consent(services, wren, "any", Purpose.BIOMETRIC, by=school.lead)
        case "parent":
            school.ask_family("Wren", Said.PARENT_OBJECTS)
        case "child":
            school.ask_family("Wren", Said.CHILD_OBJECTS)
        case "never":
            consents.mark_never(services, wren, reason="Court order", by=school.lead)
        case "left":
            consents.set_leaver(services, wren, left_on=date(2026, 11, 20), by=school.lead)
        case "off":
            remove_dpia(services, by=school.administrator)
        case _:
            clock.advance(days=1)
    if refused not in ("expired", "consent over"):
        assert shown.kept() == 0
        with services.db.read() as session:
            assert session.scalars(select(FaceTemplate)).all() == []
    shown.look()
    assert shown.suggestions() == []
    assert len(school.encoder.asked) == 1


def test_a_face_too_small_or_answered_or_cropped_away_is_not_compared(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    small, answered, outside = Box(10, 10, 49, 80), LEFT, Box(500, 300, 580, 390)
    shown = Shown(school, (small, 1.0), (answered, 1.0), (outside, 1.0), (RIGHT, 1.0))
    with school.services.db.begin() as session:
        photo = session.get_one(Photo, shown.id)
        photo.crop = [0, 0, 450, 280]
        face = session.get_one(Face, shown.faces[1])
        face.state, face.words = FaceState.STAFF, "Mr Bell"
        face.resolved_by, face.resolved_at = school.author, school.services.clock.now()
    shown.look()
    assert school.encoder.asked == [[RIGHT]]
    assert [bool(shown.suggestions(number)) for number in range(4)] == [False, False, False, True]


@pytest.mark.parametrize(
    ("born", "away", "likely"),
    [
        pytest.param(date(2014, 11, 23), 0.44, True, id="twelve-today"),
        pytest.param(date(2014, 11, 24), 0.44, False, id="twelve-tomorrow"),
        pytest.param(date(2014, 11, 24), 0.34, True, id="a-child-very-near"),
        pytest.param(None, 0.44, False, id="age-not-known"),
    ],
)
def test_likely_depends_on_the_age(school: EnrolledSchool, born: date | None, away: float, likely: bool) -> None:
    school.pupil("Wren", born_on=born)
    school.enrolled("Wren", 1.0)
    shown = Shown(school, (LEFT, 1.0 + away))
    shown.look()
    assert [one.likely for one in shown.suggestions()] == [likely]


def test_nobody_beyond_the_farthest_is_suggested(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    shown = Shown(school, (LEFT, 1.62))
    shown.look()
    assert shown.kept() == 0


def test_two_alike_are_possible_and_not_likely(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    school.enrolled("Jonty", 1.07)
    shown = Shown(school, (LEFT, 1.0))
    shown.look()
    assert [(one.name.partition(" ")[0], one.likely) for one in shown.suggestions()] == [
        ("Wren", False),
        ("Jonty", False),
    ]


def test_at_most_three_are_suggested(school: EnrolledSchool) -> None:
    for place, name in enumerate(("Wren", "Jonty", "Isolde", "Fenella")):
        school.pupil(name)
        school.ask_family(name)
        school.enrolled(name, 1.0 + 0.1 * place)
    shown = Shown(school, (LEFT, 1.0))
    shown.look()
    assert names(shown.suggestions()) == ["Wren", "Jonty", "Isolde"]


def test_nobody_is_likely_twice_in_one_photo(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    shown = Shown(school, (LEFT, 1.02), (RIGHT, 1.2))
    shown.look()
    assert [shown.suggestions(number)[0].likely for number in (0, 1)] == [True, False]


def test_an_answered_face_has_no_suggestion_any_more(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    shown = Shown(school, (LEFT, 1.0))
    shown.look()
    with school.services.db.begin() as session:
        face = session.get_one(Face, shown.faces[0])
        face.state, face.resolved_by, face.resolved_at = FaceState.COVERED, school.author, school.services.clock.now()
    assert shown.suggestions() == []


@pytest.mark.parametrize("error", [NotScanned("The faces could not be compared."), RuntimeError("Wren's face")])
def test_an_encoder_that_fails_costs_the_comfort_and_names_nobody(
    school: EnrolledSchool, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    school.enrolled("Wren", 1.0)
    shown = Shown(school, (LEFT, 1.0))
    school.encoder.fails = error
    with caplog.at_level(logging.WARNING):
        shown.look()
    assert shown.kept() == 0
    assert type(error).__name__ in caplog.text
    assert "Wren" not in caplog.text


def test_a_process_without_the_key_or_the_encoder_suggests_nobody(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    shown = Shown(school, (LEFT, 1.0))
    services = school.services
    web = replace(services.settings, process="web")
    suggest.suggest(replace(services, settings=web), shown.id, shown.pixels)
    suggest.suggest(replace(services, encoder=None), shown.id, shown.pixels)
    assert shown.kept() == 0


def test_a_template_moved_to_another_pupil_opens_nowhere(school: EnrolledSchool) -> None:
    (row,) = school.enrolled("Wren", 1.0)
    school.enrolled("Jonty", 1.3)
    with school.services.db.begin() as session:
        session.get_one(FaceTemplate, row).pupil_id = school.pupils["Jonty"]
    shown = Shown(school, (LEFT, 1.0))
    shown.look()
    assert [(one.name.partition(" ")[0], one.likely) for one in shown.suggestions()] == [("Jonty", True)]
    school.with_keys(make_key())
    shown.look()
    assert shown.suggestions() == []


def test_a_no_that_comes_while_faces_are_compared_is_heeded(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    shown = Shown(school, (LEFT, 1.0))
    encode = school.encoder.encode

    def meanwhile(pixels: np.ndarray, boxes: list[Box]) -> list[np.ndarray | None]:
        consents.withdraw_consent(school.services, school.pupils["Wren"], "any", Purpose.BIOMETRIC, by=school.lead)
        return encode(pixels, boxes)

    school.encoder.encode = meanwhile  # type: ignore[method-assign, assignment]
    shown.look()
    assert shown.kept() == 0


def test_naming_the_classes_voids_nothing_and_orders_a_new_look(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    shown = Shown(school, (LEFT, 1.0), classes=())
    before = school.digest(shown.post_id)
    suggest.set_classes(school.services, shown.id, school.author, ["Heron", "Heron"])
    with school.services.db.read() as session:
        assert session.get_one(Photo, shown.id).classes == ["Heron"]
        assert session.scalars(select(jobs.Order.job)).all() == ["suggest"]
        assert session.get_one(Post, shown.post_id).state == PostState.OPEN
        assert session.scalars(select(Audit.action).where(Audit.subject == f"photo:{shown.id}")).all() == [
            "photo.classes"
        ]
    assert school.digest(shown.post_id) == before


def test_naming_other_classes_takes_the_old_suggestions_away(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    shown = Shown(school, (LEFT, 1.0))
    shown.look()
    suggest.set_classes(school.services, shown.id, school.author, [])
    assert shown.kept() == 0


@pytest.mark.parametrize(
    ("classes", "error"),
    [(["Oak"], BadInput), ([f"Class {n}" for n in range(7)], BadInput)],
    ids=["unknown-class", "the-whole-school"],
)
def test_cannot_name_classes_that_are_none_or_all(
    school: EnrolledSchool, classes: list[str], error: type[Exception]
) -> None:
    for number in range(7):
        school.pupil(f"Pupil{number}", class_name=f"Class {number}")
    shown = Shown(school, (LEFT, 1.0))
    with pytest.raises(error):
        suggest.set_classes(school.services, shown.id, school.author, classes)


def test_cannot_name_the_classes_of_somebody_elses_photo_or_of_a_post_that_was_sent(school: EnrolledSchool) -> None:
    shown = Shown(school, (LEFT, 1.0))
    for photo_id, by in ((shown.id, school.staff[Role.DEPUTY]), (999, school.author)):
        with pytest.raises(NotFound):
            suggest.set_classes(school.services, photo_id, by, ["Heron"])
    with school.services.db.begin() as session:
        session.get_one(Post, shown.post_id).state = PostState.WAITING
    with pytest.raises(Conflict):
        suggest.set_classes(school.services, shown.id, school.author, [])


def test_the_ordered_look_reads_the_stored_original(school: EnrolledSchool) -> None:
    school.enrolled("Wren", 1.0)
    shown = Shown(school, (LEFT, 1.0))
    import io

    stored = io.BytesIO()
    drawing((LEFT, 1.0)).save(stored, "PNG")
    with school.services.db.begin() as session:
        session.get_one(Photo, shown.id).original_sha256 = school.services.media.put(stored.getvalue(), ".png")
    suggest.suggest_again(school.services, shown.id)
    assert names(shown.suggestions()) == ["Wren"]
    suggest.suggest_again(school.services, 999)
