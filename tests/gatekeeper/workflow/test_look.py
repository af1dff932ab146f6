"""One look at one photo: what stands in it is read, people are published smaller, and nothing that failed passes."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import delete, select

from gatekeeper.errors import NotScanned
from gatekeeper.faces.boxes import Face as SeenFace
from gatekeeper.lettering import read
from gatekeeper.lettering.marks import SeenMark
from gatekeeper.lettering.reading import Reading
from gatekeeper.mail.model import Notice
from gatekeeper.people.pupils import Pupil
from gatekeeper.people.staff import Audit, Role
from gatekeeper.policy.photo_rules import LOWERED_SIDE
from gatekeeper.posts.media import MediaStore
from gatekeeper.posts.model import Face, Finding, Mark, Photo, PhotoScan, Post
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.workflow import incident, legible, look, patch, resolve
from gatekeeper.workflow import scan as step
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.looking import BarReader, MagentaFinder, check_again, picture, submitted
from tests.factories.school import School, make_services

BAR = (100, 200, 299, 239)


@pytest.fixture
def finder() -> MagentaFinder:
    return MagentaFinder()


@pytest.fixture
def reader() -> BarReader:
    return BarReader()


@pytest.fixture
def services(
    sqlite_database: object, tmp_path: object, clock: ToldClock, finder: MagentaFinder, reader: BarReader
) -> Services:
    return make_services(sqlite_database, tmp_path, clock, faces=finder, reader=reader)  # type: ignore[arg-type]


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


def findings(school: School, post_id: int) -> list[Finding]:
    with school.services.db.read() as session:
        version = session.get_one(Post, post_id).version_id
        return list(session.scalars(select(Finding).where(Finding.version_id == version).order_by(Finding.id)))


def photo_of(school: School) -> Photo:
    with school.services.db.read() as session:
        return session.scalars(select(Photo)).one()


def test_a_pupils_name_in_the_photo_blocks_and_has_its_place_in_the_original(school: School) -> None:
    post = submitted(school, picture(width=3000, bar=(1000, 100, 1400, 160)), send=True)
    step.scan(school.services, post)
    (found,) = findings(school, post)
    assert (found.field, found.severity, found.quote) == ("images[0].lettering", "block", "Wren Applethwaite")
    assert found.box == pytest.approx([1000, 100, 1401, 161], abs=4), "in pixels of the upright original"
    assert school.state(post) == PostState.OPEN


def test_a_covered_name_is_gone_once_the_new_picture_is_read(school: School, reader: BarReader) -> None:
    post = submitted(school, picture(bar=BAR), send=True)
    step.scan(school.services, post)
    (found,) = findings(school, post)
    patch.cover_finding(school.services, found.id, by=school.author)
    check_again(school, post, send=True)
    step.scan(school.services, post)
    assert findings(school, post) == []
    assert reader.asked == 2
    assert school.state(post) == PostState.REQUESTING


def test_a_name_that_is_cropped_away_is_gone_as_well(school: School) -> None:
    post = submitted(school, picture(bar=BAR), send=True)
    step.scan(school.services, post)
    resolve.crop_photo(school.services, photo_of(school).id, by=school.author, box=(0, 0, 400, 150))
    check_again(school, post, send=True)
    step.scan(school.services, post)
    assert findings(school, post) == []


def test_a_changed_word_reads_no_photo_again(school: School, reader: BarReader) -> None:
    post = submitted(school, picture(bar=BAR))
    step.scan(school.services, post)
    check_again(school, post, change=lambda post: setattr(post, "text", "Edited."))
    step.scan(school.services, post)
    assert reader.asked == 1
    assert len(findings(school, post)) == 1


def test_a_photo_that_could_not_be_read_blocks(school: School, reader: BarReader) -> None:
    reader.fails = True
    post = submitted(school, picture(), send=True)
    step.scan(school.services, post)
    assert school.state(post) == PostState.SCAN_FAILED
    with school.services.db.read() as session:
        assert "reading stopped" in session.get_one(Post, post).note


def test_cannot_pass_where_nobody_can_read(sqlite_database: object, tmp_path: object, clock: ToldClock) -> None:
    school = School(make_services(sqlite_database, tmp_path, clock, reader=None))  # type: ignore[arg-type]
    post = submitted(school, picture(), send=True)
    step.scan(school.services, post)
    assert school.state(post) == PostState.SCAN_FAILED


def test_a_code_that_nobody_can_read_by_eye_asks_for_a_reason(school: School, reader: BarReader) -> None:
    reader.code = "WIFI:S:school;P:hush;;"
    post = submitted(school, picture(bar=BAR), send=True)
    step.scan(school.services, post)
    (found,) = findings(school, post)
    assert (found.rule, found.field, found.severity) == ("photo-code", "images[0].code", "justify")
    resolve.answer_finding(school.services, found.id, by=school.author, reason="It is the visitors' network.")


def test_cannot_have_a_pupil_named_who_must_never_be_published(school: School, reader: BarReader) -> None:
    with school.services.step() as session:
        wren = session.get_one(Pupil, school.pupils["Wren"])
        wren.never_publish, wren.never_by, wren.never_at = True, school.head, school.services.clock.now()
    post = submitted(school, picture(bar=BAR), text="Well done Wren Applethwaite, what a run!")
    step.scan(school.services, post)
    for found in findings(school, post):
        with pytest.raises(Exception, match="Nobody can allow this"):
            resolve.ask_override(school.services, found.id, by=school.author, reason="We would all like it.")
    assert {found.field for found in findings(school, post)} == {"text", "images[0].lettering"}


def test_a_registered_mark_asks_who_authorised_it(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    with school.services.step() as session:
        mark = Mark(
            name="Merrow Dairy", owner="other", sha256="0" * 64, registered_by=school.head,
            registered_at=school.services.clock.now(),
        )  # fmt: skip
        session.add(mark)
        session.flush()
        seen = SeenMark(mark_id=mark.id, box=(10.0, 20.0, 60.0, 70.0), likeness=0.9)
    monkeypatch.setattr(look, "marks_in", lambda _services, _pixels: (seen,))
    post = submitted(school, picture(), send=True)
    step.scan(school.services, post)
    (found,) = findings(school, post)
    assert (found.rule, found.clause, found.severity) == ("photo-mark", "3.6", "justify")
    assert (found.field, found.quote, found.box) == ("images[0].mark", "Merrow Dairy", [10.0, 20.0, 60.0, 70.0])


def test_a_check_that_looked_at_another_picture_than_the_one_to_be_published_concludes_nothing(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marks are searched in the picture in hand; in any other picture they would seem to be absent."""
    post = submitted(school, picture(), send=True)
    looked = look.look_at_photo
    monkeypatch.setattr(step, "look_at_photo", lambda *told: replace(looked(*told), rendition="0" * 64))  # type: ignore[type-var]
    step.scan(school.services, post)
    assert school.state(post) == PostState.SCANNING
    monkeypatch.setattr(step, "look_at_photo", looked)
    step.scan(school.services, post)
    assert school.state(post) == PostState.REQUESTING


def test_people_are_published_smaller_than_things(school: School) -> None:
    post = submitted(school, picture(100, width=3000))
    step.scan(school.services, post)
    assert photo_of(school).rendition_width == LOWERED_SIDE
    other = submitted(school, picture(width=2999))
    step.scan(school.services, other)
    with school.services.db.read() as session:
        assert session.get_one(Post, other).photos[0].rendition_width == 2048


def test_an_author_may_ask_for_the_large_picture(school: School) -> None:
    post = submitted(school, picture(100, width=3000))
    step.scan(school.services, post)
    small = photo_of(school).rendition_sha256

    def full_size(post: Post) -> None:
        for photo in post.photos:
            photo.full_size, photo.rendition_sha256 = True, None

    check_again(school, post, change=full_size)
    step.scan(school.services, post)
    assert photo_of(school).rendition_width == 2048

    def small_again(post: Post) -> None:
        for photo in post.photos:
            photo.full_size, photo.rendition_sha256 = False, None

    check_again(school, post, change=small_again)
    step.scan(school.services, post)
    assert photo_of(school).rendition_sha256 == small, "the same picture gives the same bytes"


def test_a_face_seen_only_in_the_large_rendition_makes_it_smaller(school: School, finder: MagentaFinder) -> None:
    finder.blind_above = 2048
    post = submitted(school, picture(1000, width=3000))
    step.scan(school.services, post)
    assert photo_of(school).rendition_width == LOWERED_SIDE
    with school.services.db.read() as session:
        assert [face.state for face in session.scalars(select(Face))] == [FaceState.UNKNOWN]


def test_a_face_that_somebody_draws_makes_the_photo_smaller(school: School) -> None:
    post = submitted(school, picture(width=3000))
    step.scan(school.services, post)
    assert photo_of(school).rendition_width == 2048
    resolve.add_face(school.services, photo_of(school).id, by=school.author, box=(100, 100, 160, 160))
    assert school.state(post) == PostState.SCANNING
    step.scan(school.services, post)
    assert photo_of(school).rendition_width == LOWERED_SIDE


def test_two_photos_are_looked_at_at_the_same_time(school: School, finder: MagentaFinder) -> None:
    both, looks = threading.Barrier(2, timeout=20), finder.detect

    def together(pixels: np.ndarray) -> list[SeenFace]:
        both.wait()
        return looks(pixels)

    finder.detect = together  # type: ignore[method-assign]
    post = submitted(school, picture(40), picture(50), send=True)
    step.scan(school.services, post)
    assert school.state(post) == PostState.OPEN


def test_a_very_large_photo_is_looked_at_alone(
    school: School, finder: MagentaFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "LARGE", 1)
    alone, looks = threading.Semaphore(1), finder.detect

    def one_by_one(pixels: np.ndarray) -> list[SeenFace]:
        assert alone.acquire(blocking=False)
        try:
            return looks(pixels)
        finally:
            alone.release()

    finder.detect = one_by_one  # type: ignore[method-assign]
    post = submitted(school, picture(40), picture(50), picture(60))
    step.scan(school.services, post)
    assert school.state(post) == PostState.OPEN


def test_a_photo_that_fails_does_not_keep_the_others_from_being_written_down(
    school: School, finder: MagentaFinder, reader: BarReader
) -> None:
    reads = reader.read

    def reads_no_bars(pixels: np.ndarray) -> Reading:
        found = reads(pixels)
        if found.lines:
            raise NotScanned("The reading stopped in the middle of this photo.")
        return found

    reader.read = reads_no_bars  # type: ignore[method-assign]
    post = submitted(school, picture(bar=BAR), picture(40), picture(50))
    step.scan(school.services, post)
    assert school.state(post) == PostState.SCAN_FAILED
    with school.services.db.read() as session:
        first, *others = session.get_one(Post, post).photos
        assert first.problem
        assert [len(photo.faces) for photo in others] == [1, 1]
        assert {photo.problem for photo in others} == {""}


def spoil(media: MediaStore, digest: str | None) -> None:
    path = media.path(digest or "")
    path.chmod(0o600)
    path.write_bytes(b"something else")


@pytest.mark.parametrize("which", ["original", "rendition"])
def test_cannot_pass_a_picture_that_was_changed_on_the_disk(school: School, which: str) -> None:
    post = submitted(school, picture(), send=False)
    step.scan(school.services, post)
    assert school.state(post) == PostState.OPEN
    digest = getattr(photo_of(school), f"{which}_sha256")
    spoil(school.services.media, digest)
    check_again(school, post, send=True)
    step.scan(school.services, post)
    assert school.state(post) == PostState.SCAN_FAILED
    with school.services.db.read() as session:
        (row,) = session.scalars(select(Audit).where(Audit.action == incident.ACTION))
        assert row.detail == {"post": post, "sha256": digest, "found_at": "check"}
        told = set(session.scalars(select(Notice.staff_id).where(Notice.kind == "photo_changed")))
    assert told == {school.staff[Role.ADMINISTRATOR], school.head}
    check_again(school, post, send=True)
    step.scan(school.services, post)
    mended = {"original": PostState.SCAN_FAILED, "rendition": PostState.REQUESTING}
    assert school.state(post) == mended[which], "a rendition is made again, an original is lost"


def test_what_was_read_is_kept_under_the_name_of_the_engine_that_read_it() -> None:
    assert legible.READER == read.ENGINE


def test_a_look_that_ends_late_says_nothing_about_the_photo_as_it_is_now(school: School, finder: MagentaFinder) -> None:
    """The author covered a face while an old check was still looking; the new check has ended long ago."""
    post = submitted(school, picture(20))
    step.scan(school.services, post)
    with school.services.db.read() as session:
        late = look.task_of(session.scalars(select(Photo)).one())
        face = session.scalars(select(Face.id)).one()
    resolve.cover_face(school.services, face, by=school.author)
    step.scan(school.services, post)
    assert school.state(post) == PostState.OPEN
    assert look.look_at_photo(school.services, late) is None
    finder.fails = True
    with school.services.db.begin() as session:
        session.execute(delete(PhotoScan))
    assert look.look_at_photo(school.services, late) is None  # nor what went wrong with it
    photo = photo_of(school)
    assert (photo.problem, photo.scanned_sha256) == ("", photo.original_sha256)
