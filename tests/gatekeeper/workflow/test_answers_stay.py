"""An answer belongs to one box of one photo, by its bytes: it outlives a changed word, and dies with the photo."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.errors import Conflict
from gatekeeper.faces.boxes import Box
from gatekeeper.faces.boxes import Face as SeenFace
from gatekeeper.posts.model import Face, Photo, Post
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.workflow import photos, resolve, scan, submit
from gatekeeper.workflow.answerable import seen_as
from gatekeeper.workflow.facts import open_items_of
from gatekeeper.workflow.submit import DraftEdit
from tests.conftest import ToldClock
from tests.factories.school import School, make_services


class OneFace:
    """Sees one face in the middle of any picture."""

    def detect(self, pixels: np.ndarray) -> list[SeenFace]:
        height, width = pixels.shape[:2]
        return [SeenFace(Box(width * 0.4, height * 0.4, width * 0.6, height * 0.6), 0.9, "test")]


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock, faces=OneFace()))


def picture(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (400, 300), (shade, 120, 90)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def post_id(school: School) -> int:
    """A post with one photo that was checked; its one face is cleared."""
    services = school.services
    post_id = school.post(kinds=("x",))
    submit.save_draft(services, post_id, school.author, DraftEdit(text="Our table is full.", channels=chosen(school)))
    photos.add_photo(services, post_id, school.author, data=picture(40), file_name="table.png")
    checked(school, post_id)
    wren = school.pupils["Wren"]
    resolve.clear_face(services, the_face(school).id, by=school.author, state=FaceState.PUPIL, pupil_id=wren)
    assert not face_items(school, post_id)
    return post_id


def chosen(school: School) -> tuple[int, ...]:
    return (school.accounts["x"],)


def checked(school: School, post_id: int) -> None:
    """Send it to be checked, and check it."""
    with school.services.step() as session:
        session.get_one(Post, post_id).state = PostState.SCANNING
        session.get_one(Post, post_id).due_at = school.services.clock.now()
    scan.scan(school.services, post_id)
    assert school.state(post_id) == PostState.OPEN


def the_face(school: School) -> Face:
    with school.services.db.read() as session:
        return session.scalars(select(Face)).one()


def face_items(school: School, post_id: int) -> list[str]:
    with school.services.db.read() as session:
        items = open_items_of(school.services, session, session.get_one(Post, post_id))
        return [item.kind for item in items if item.kind in {"face", "photo"}]


@pytest.mark.parametrize(
    "change",
    [DraftEdit(text="Our table is very full."), DraftEdit(text="Our table is full.", title="Another title")],
    ids=["the-words", "the-title"],
)
def test_an_answer_outlives_an_edit_of_anything_but_the_photo(school: School, post_id: int, change: DraftEdit) -> None:
    before = the_face(school).id
    submit.save_draft(school.services, post_id, school.author, replace(change, channels=chosen(school)))
    checked(school, post_id)
    after = the_face(school)
    assert (after.id, after.state, after.pupil_id) == (before, FaceState.PUPIL, school.pupils["Wren"])
    assert not face_items(school, post_id)


def test_an_answer_for_one_channel_does_not_outlive_another_channel(school: School, post_id: int) -> None:
    with school.services.db.begin() as session:
        school.permit(session, "Wren", "facebook", allowed=False)
    both = (*chosen(school), school.accounts["facebook"])
    submit.save_draft(school.services, post_id, school.author, DraftEdit(text="Our table is full.", channels=both))
    checked(school, post_id)
    assert face_items(school, post_id) == ["face"]


@pytest.mark.parametrize("shade", [40, 41], ids=["the-same-photo-again", "another-photo"])
def test_an_answer_dies_with_its_photo(school: School, post_id: int, shade: int) -> None:
    old = the_face(school).photo_id
    photos.remove_photo(school.services, old, school.author)
    photos.add_photo(school.services, post_id, school.author, data=picture(shade), file_name="table.png")
    checked(school, post_id)
    fresh = the_face(school)
    assert (fresh.state, fresh.pupil_id) == (FaceState.UNKNOWN, None)
    assert face_items(school, post_id) == ["face"]


def test_an_old_window_cannot_answer_for_a_face_that_took_the_number(school: School, post_id: int) -> None:
    """Numbers of rows are used again: what was said to a picture is for that picture."""
    old = the_face(school)
    with school.services.db.read() as session:
        seen = seen_as(session.get_one(Photo, old.photo_id), old)
    photos.remove_photo(school.services, old.photo_id, school.author)
    photos.add_photo(school.services, post_id, school.author, data=picture(41), file_name="table.png")
    checked(school, post_id)
    fresh = the_face(school).id
    for stale in (seen, ""):
        with pytest.raises(Conflict, match="not the face you were looking at"):
            resolve.clear_face(
                school.services, fresh, by=school.author, state=FaceState.STAFF, words="Mr Reid", seen=stale
            )
        with pytest.raises(Conflict, match="not the face you were looking at"):
            resolve.not_a_face(school.services, fresh, by=school.author, seen=stale)
    assert the_face(school).state == FaceState.UNKNOWN


def test_an_answer_counts_for_the_bytes_that_were_looked_at_and_no_others(school: School, post_id: int) -> None:
    """A photo swapped behind the program's back keeps its boxes in the table; they clear nothing any more."""
    other = school.services.media.put(picture(90), ".png")
    with school.services.db.begin() as session:
        session.scalars(select(Photo)).one().original_sha256 = other
    assert face_items(school, post_id) == ["photo"]


def test_an_answer_is_for_its_own_box(school: School, post_id: int) -> None:
    photo_id = the_face(school).photo_id
    beside = resolve.add_face(school.services, photo_id, by=school.author, box=(10, 10, 60, 60))
    with school.services.db.read() as session:
        assert session.get_one(Face, beside).state == FaceState.UNKNOWN
    assert face_items(school, post_id) == ["face"]


def test_an_old_window_cannot_take_away_a_box_that_took_the_number(school: School, post_id: int) -> None:
    """The first drawn box is gone; the second one stands around a face that the check missed."""
    services, photo_id = school.services, the_face(school).photo_id
    first = resolve.add_face(services, photo_id, by=school.author, box=(10, 10, 60, 60))
    with services.db.read() as session:
        old = seen_as(session.get_one(Photo, photo_id), session.get_one(Face, first))
    resolve.remove_box(services, first, by=school.author, seen=old)
    second = resolve.add_face(services, photo_id, by=school.author, box=(300, 200, 360, 260))
    assert second == first
    for stale in (old, ""):
        with pytest.raises(Conflict, match="not the face you were looking at"):
            resolve.remove_box(services, second, by=school.author, seen=stale)
    assert face_items(school, post_id) == ["face"]
