"""The check of a post: nothing is clean until it has been looked at, and what was looked at once stays looked at.

The face finder here sees magenta squares, so that covering and cropping have the effect they have on real faces; the
real detectors have their own tests. Decoding, rendering, storing and the text engine are the real ones.
"""

import io
import itertools
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput
from gatekeeper.faces.boxes import Face as SeenFace
from gatekeeper.posts.model import Face, Finding, Photo, Post
from gatekeeper.posts.status import FaceState, FindingState, PostState
from gatekeeper.workflow import look, resolve
from gatekeeper.workflow import scan as step
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.looking import MagentaFinder, check_again, picture, submitted
from tests.factories.school import School, make_services


@pytest.fixture
def finder() -> MagentaFinder:
    return MagentaFinder()


@pytest.fixture
def services(sqlite_database: object, tmp_path: object, clock: ToldClock, finder: MagentaFinder) -> Services:
    return make_services(sqlite_database, tmp_path, clock, faces=finder)  # type: ignore[arg-type]


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


def faces(school: School) -> list[Face]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Face).order_by(Face.id)))


def test_every_face_starts_unknown_and_the_post_waits_for_its_author(school: School) -> None:
    post = submitted(school, picture(40, 250), send=True)
    step.scan(school.services, post)
    assert school.state(post) == PostState.OPEN
    assert [face.state for face in faces(school)] == [FaceState.UNKNOWN] * 2


def test_an_ordinary_post_goes_straight_on_to_the_headteacher(school: School) -> None:
    post = submitted(school, picture(), send=True)
    step.scan(school.services, post)
    assert school.state(post) == PostState.REQUESTING
    with school.services.db.read() as session:
        assert jobs.due(session, "mail", now=school.services.clock.now()) == [("request", post)]


def test_a_photo_that_could_not_be_looked_at_blocks_and_can_be_tried_again(
    school: School, finder: MagentaFinder
) -> None:
    post = submitted(school, picture(), send=True)
    finder.fails = True
    step.scan(school.services, post)
    assert school.state(post) == PostState.SCAN_FAILED
    with school.services.db.read() as session:
        assert "face finder stopped" in session.get_one(Post, post).note
        assert session.scalars(select(Photo.problem)).one()
    finder.fails = False
    check_again(school, post, send=True)
    step.scan(school.services, post)
    assert school.state(post) == PostState.REQUESTING


def test_a_crash_in_the_middle_leaves_the_post_to_be_checked_again(school: School, finder: MagentaFinder) -> None:
    post = submitted(school, picture(), send=True)

    def crash(_pixels: np.ndarray) -> list[SeenFace]:
        raise KeyboardInterrupt

    finder.detect = crash  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        step.scan(school.services, post)
    assert school.state(post) == PostState.SCANNING


def test_a_changed_word_scans_no_photo_again(school: School, finder: MagentaFinder) -> None:
    post = submitted(school, picture(40))
    step.scan(school.services, post)
    asked = finder.asked
    assert asked == 2  # the original and its rendition
    check_again(school, post, change=lambda p: setattr(p, "text", "Our harvest table is very full."))
    step.scan(school.services, post)
    assert finder.asked == asked
    assert len(faces(school)) == 1


def test_an_answer_about_a_face_survives_a_changed_word(school: School) -> None:
    post = submitted(school, picture(40))
    step.scan(school.services, post)
    with school.services.step() as session:
        face = session.scalars(select(Face)).one()
        face.state, face.words = FaceState.STAFF, "Mrs Quarry"
        face.resolved_by, face.resolved_at = school.author, school.services.clock.now()
    check_again(school, post, change=lambda p: setattr(p, "text", "Edited."))
    step.scan(school.services, post)
    assert [face.state for face in faces(school)] == [FaceState.STAFF]


def cover(school: School, face_id: int) -> None:
    with school.services.step() as session:
        face = session.get_one(Face, face_id)
        face.state, face.resolved_by, face.resolved_at = FaceState.COVERED, school.author, school.services.clock.now()
        face.photo.rendition_sha256 = None


def test_a_covered_face_is_gone_from_the_published_picture_and_stays_in_the_original(
    school: School, finder: MagentaFinder
) -> None:
    post = submitted(school, picture(40, 250))
    step.scan(school.services, post)
    first, second = faces(school)
    cover(school, first.id)
    check_again(school, post)
    step.scan(school.services, post)
    with school.services.db.read() as session:
        photo = session.scalars(select(Photo)).one()
        published = np.asarray(Image.open(io.BytesIO(school.services.media.read(photo.rendition_sha256 or ""))))
    seen = finder.detect(published)
    assert len(seen) == 1
    assert seen[0].box.x1 > 200
    assert len(faces(school)) == 2
    assert photo.problem == ""
    assert second.state == FaceState.UNKNOWN


def test_a_cover_that_did_not_hold_blocks(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    post = submitted(school, picture(40))
    step.scan(school.services, post)
    cover(school, faces(school)[0].id)
    monkeypatch.setattr(look.redact, "cover", lambda pixels, *_boxes: pixels)
    check_again(school, post, send=True)
    step.scan(school.services, post)
    with school.services.db.read() as session:
        assert "where it was covered" in session.scalars(select(Photo.problem)).one()
    assert school.state(post) == PostState.OPEN


def test_a_face_found_only_in_the_rendition_is_a_new_unknown_face(school: School, finder: MagentaFinder) -> None:
    finder.blind_above = 3000
    post = submitted(school, picture(1000, width=4000), send=True)
    step.scan(school.services, post)
    (face,) = faces(school)
    assert face.source == "rendition"
    assert face.state == FaceState.UNKNOWN
    assert 990 < face.x1 < 1010, "in pixels of the upright original"
    assert school.state(post) == PostState.OPEN


def test_a_post_changed_under_the_check_is_checked_as_it_is_now(school: School, finder: MagentaFinder) -> None:
    post = submitted(school, picture(), send=True)
    looks = finder.detect

    def edit_meanwhile(pixels: np.ndarray) -> list[SeenFace]:
        with school.services.step() as session:
            session.get_one(Post, post).revision += 1
        return looks(pixels)

    finder.detect = edit_meanwhile  # type: ignore[method-assign]
    step.scan(school.services, post)
    assert school.state(post) == PostState.SCANNING
    with school.services.db.read() as session:
        assert session.scalars(select(jobs.Order).where(jobs.Order.job == "scan")).one().claimed_until is None


def test_naming_a_pupil_is_found_and_blocks(school: School) -> None:
    post = submitted(school, text="Well done Wren Applethwaite, what a run!", send=True)
    step.scan(school.services, post)
    assert school.state(post) == PostState.OPEN
    with school.services.db.read() as session:
        finding = session.scalars(select(Finding).where(Finding.severity == "block")).first()
    assert finding is not None
    assert finding.quote == "Wren Applethwaite"
    assert (finding.start, finding.end) == (10, 27)


def test_a_written_reason_stays_while_the_words_it_is_about_stay(school: School) -> None:
    text = "Well done Wren Applethwaite, what a run!"
    post = submitted(school, text=text)
    step.scan(school.services, post)
    with school.services.step() as session:
        for finding in session.scalars(select(Finding)):
            finding.state, finding.reason = FindingState.OVERRIDE, "The family asked for it in writing."
            finding.resolved_by, finding.resolved_at = school.author, school.services.clock.now()
    check_again(school, post, change=lambda p: _retext(p, "Lovely! " + text))
    step.scan(school.services, post)
    with school.services.db.read() as session:
        newest = session.get_one(Post, post).version_id
        kept = session.scalars(select(Finding).where(Finding.version_id == newest, Finding.severity == "block")).all()
    assert kept
    assert {finding.reason for finding in kept} == {"The family asked for it in writing."}
    check_again(school, post, change=lambda p: _retext(p, "Well done Jonty Applethwaite!"))
    step.scan(school.services, post)
    with school.services.db.read() as session:
        newest = session.get_one(Post, post).version_id
        asked = session.scalars(select(Finding).where(Finding.version_id == newest, Finding.severity == "block")).all()
    assert {finding.state for finding in asked} == {FindingState.OPEN}


def _retext(post: Post, text: str) -> None:
    post.text = text
    post.revision += 1


def test_nothing_is_checked_that_does_not_wait_for_it(school: School, finder: MagentaFinder) -> None:
    post = school.post()
    step.scan(school.services, post)
    assert school.state(post) == PostState.OPEN
    assert finder.asked == 0


def test_a_check_that_never_ends_is_given_up_with_a_sentence_and_still_blocks(school: School) -> None:
    post = submitted(school, picture(), send=True)
    step.give_up(school.services, post, "It was tried three times.")
    assert school.state(post) == PostState.SCAN_FAILED


def draw(school: School, box: tuple[float, float, float, float]) -> int:
    with school.services.db.read() as session:
        photo = session.scalars(select(Photo)).one()
    return resolve.add_face(school.services, photo.id, by=school.author, box=box)


def failed_once(school: School, finder: MagentaFinder, *places: int) -> int:
    """A post whose check failed, so that its author can draw before any detector has looked."""
    post = submitted(school, picture(*places))
    finder.fails = True
    step.scan(school.services, post)
    finder.fails = False
    assert school.state(post) == PostState.SCAN_FAILED
    return post


def test_cannot_hide_a_face_behind_a_box_drawn_before_the_check(school: School, finder: MagentaFinder) -> None:
    post = failed_once(school, finder, 100)
    drawn = draw(school, (98, 98, 163, 163))
    check_again(school, post, send=True)
    step.scan(school.services, post)
    assert school.state(post) == PostState.OPEN
    with pytest.raises(BadInput, match="found by the check"):
        resolve.remove_box(school.services, drawn, by=school.author)
    assert len(faces(school)) == 1


def test_cannot_clear_a_whole_group_with_one_large_drawn_box(school: School, finder: MagentaFinder) -> None:
    post = failed_once(school, finder, 40, 120, 200)
    drawn = draw(school, (30, 60, 270, 180))
    resolve.clear_face(school.services, drawn, by=school.author, state=FaceState.ADULT, words="Our visitor")
    check_again(school, post, send=True)
    step.scan(school.services, post)
    found = [face for face in faces(school) if face.id != drawn]
    assert [face.state for face in found] == [FaceState.UNKNOWN] * 3
    assert school.state(post) == PostState.OPEN


def test_a_look_that_is_sure_ends_an_answer_of_not_a_face(school: School, finder: MagentaFinder) -> None:
    finder.sure = 0.6
    post = submitted(school, picture(40), send=True)
    step.scan(school.services, post)
    (face,) = faces(school)
    resolve.not_a_face(school.services, face.id, by=school.author)
    finder.sure = 0.95  # a closer look: the same place, cropped and so larger in the picture
    check_again(school, post, send=True, change=lambda post: crop_to(post, [0, 50, 200, 250]))
    step.scan(school.services, post)
    assert len(faces(school)) == 1
    assert school.state(post) == PostState.OPEN


def test_what_a_new_engine_finds_in_the_original_is_written_down(
    school: School, finder: MagentaFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder.blind_above = 100
    post = submitted(school, picture(1000, width=4000))
    step.scan(school.services, post)
    assert faces(school) == []
    monkeypatch.setattr(look, "ENGINE", "better/2")
    looks = finder.detect
    finder.blind_above = None
    finder.detect = lambda pixels: looks(pixels) if pixels.shape[1] > 3000 else []  # type: ignore[method-assign]
    check_again(school, post, send=True)
    step.scan(school.services, post)
    assert len(faces(school)) == 1
    assert school.state(post) == PostState.OPEN


def crop_to(post: Post, crop: list[int]) -> None:
    for photo in post.photos:
        photo.crop, photo.rendition_sha256 = crop, None
    post.revision += 1


def test_a_face_covered_while_the_picture_is_made_is_covered_in_what_is_published(
    database: Database, tmp_path: Path, clock: ToldClock, finder: MagentaFinder
) -> None:
    school = School(make_services(database, tmp_path, clock, faces=finder))
    post = submitted(school, picture(40, 250))
    step.scan(school.services, post)
    first, second = faces(school)
    cover(school, first.id)
    check_again(school, post)
    task_of, asked = look.task_of, itertools.count(1)
    begun, done = threading.Event(), threading.Event()

    def cover_the_other() -> None:
        begun.wait(10)
        resolve.cover_face(school.services, second.id, by=school.author)
        done.set()

    def looked_at_and_then_waited(photo: Photo) -> object:
        seen = task_of(photo)
        if next(asked) == 2:  # the look right before the picture is given to the photo
            begun.set()
            done.wait(1)
        return seen

    other = threading.Thread(target=cover_the_other)
    other.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(look, "task_of", looked_at_and_then_waited)
        step.scan(school.services, post)
    other.join(10)
    step.scan(school.services, post)
    with school.services.db.read() as session:
        photo = session.scalars(select(Photo)).one()
        published = np.asarray(Image.open(io.BytesIO(school.services.media.read(photo.rendition_sha256 or ""))))
    assert finder.detect(published) == []
