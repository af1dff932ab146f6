"""Where the check is sure of a face, its author alone never says "there is none": somebody else looks, or it blocks."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotFound
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.posts.media import MediaStore, decode, render
from gatekeeper.posts.model import Face, FaceAnswer, Photo, Post, SecondLook
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.workflow import resolve, second_look
from gatekeeper.workflow.facts import open_items_of
from tests.conftest import ToldClock
from tests.factories.pictures import scene
from tests.factories.school import School, make_services

SECOND = (Role.HEADTEACHER, Role.DEPUTY, Role.CONSENT_LEAD, Role.LINE_MANAGER)


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    """One database is enough: nothing here depends on which."""
    return School(make_services(sqlite_database, tmp_path, clock))


@pytest.fixture
def face(school: School) -> int:
    """A box in which the detector is sure of a face, in an open post; its author is managed by the line manager."""
    post_id = school.post(photos=1, kinds=("x",))
    with school.services.db.begin() as session:
        session.get_one(Staff, school.author).line_manager_id = school.staff[Role.LINE_MANAGER]
        (photo,) = session.get_one(Post, post_id).photos
        photo.preview_sha256 = photo.rendition_sha256
        photo.faces.append(Face(x1=20, y1=40, x2=80, y2=110, score=0.95, source="detector"))
        session.flush()
        return photo.faces[0].id


def staff(school: School, role: Role) -> Staff:
    with school.services.db.read() as session:
        return session.get_one(Staff, school.staff[role])


def asked(school: School, face: int) -> int:
    second_look.ask(school.services, face, by=school.author)
    with school.services.db.read() as session:
        return session.scalars(select(SecondLook.id).where(SecondLook.closed_at.is_(None))).one()


def blocks(school: School) -> bool:
    with school.services.db.read() as session:
        return bool(open_items_of(school.services, session, session.scalars(select(Post)).one()))


def state_of(school: School, face: int) -> str:
    with school.services.db.read() as session:
        return session.get_one(Face, face).state


def waiting(school: School, role: Role) -> int:
    return len(second_look.waiting_for(school.services, staff(school, role)))


@pytest.mark.parametrize("role", SECOND)
def test_a_second_person_who_sees_no_face_ends_the_block(school: School, face: int, role: Role) -> None:
    look = asked(school, face)
    assert blocks(school)  # until somebody has looked
    second_look.answer(school.services, look, by=staff(school, role), no_face=True)
    assert not blocks(school)
    with school.services.db.read() as session:
        stored = session.get_one(Face, face)
        assert (stored.state, stored.resolved_by) == (FaceState.NOT_A_FACE, school.staff[role])
        assert session.scalars(select(FaceAnswer.by)).all() == [school.staff[role]]  # kept, for the head's eyes
        actions = session.scalars(
            select(Audit.action).where(Audit.action.like("second_look.%")).order_by(Audit.id)
        ).all()
        assert list(actions) == ["second_look.asked", "second_look.answered"]


def test_a_second_person_who_sees_a_face_leaves_it_blocked_for_good(school: School, face: int) -> None:
    second_look.answer(school.services, asked(school, face), by=staff(school, Role.DEPUTY), no_face=False)
    assert state_of(school, face) == FaceState.UNKNOWN
    assert blocks(school)
    with pytest.raises(BadInput, match="saw a face"):  # nobody asks around until somebody gives in
        second_look.ask(school.services, face, by=school.author)


@pytest.mark.parametrize("role", [role for role in Role if role not in SECOND])
def test_nobody_else_can_look_or_answer(school: School, face: int, role: Role) -> None:
    look = asked(school, face)
    assert waiting(school, role) == 0
    with pytest.raises(NotFound):
        second_look.answer(school.services, look, by=staff(school, role), no_face=True)
    with pytest.raises(NotFound):
        second_look.picture_of(school.services, look, by=staff(school, role))
    assert blocks(school)


def test_nobody_answers_their_own_question(school: School, face: int) -> None:
    look = asked(school, face)
    with school.services.db.begin() as session:  # the author becomes somebody who may answer others
        session.get_one(Staff, school.author).role = Role.DEPUTY
    member = staff(school, Role.AUTHOR)
    assert second_look.waiting_for(school.services, member) == ()
    with pytest.raises(NotFound):
        second_look.answer(school.services, look, by=member, no_face=True)


def test_the_database_itself_refuses_an_answer_by_whoever_asked(school: School, face: int) -> None:
    look = asked(school, face)
    with pytest.raises(IntegrityError), school.services.db.begin() as session:
        row = session.get_one(SecondLook, look)
        row.no_face, row.answered_by, row.answered_at = True, school.author, school.services.clock.now()


def test_a_line_manager_sees_only_the_boxes_of_the_people_they_manage(school: School, face: int) -> None:
    look = asked(school, face)
    assert waiting(school, Role.LINE_MANAGER) == 1
    with school.services.db.begin() as session:
        session.get_one(Staff, school.author).line_manager_id = school.head
    assert waiting(school, Role.LINE_MANAGER) == 0
    with pytest.raises(NotFound):
        second_look.answer(school.services, look, by=staff(school, Role.LINE_MANAGER), no_face=True)


def test_an_author_cannot_say_it_alone_in_any_way(school: School, face: int) -> None:
    with pytest.raises(BadInput, match="second person"):
        resolve.not_a_face(school.services, face, by=school.author)
    with school.services.db.begin() as session:  # as if the state had been written past the steps
        stored = session.get_one(Face, face)
        stored.state, stored.resolved_by = FaceState.NOT_A_FACE, school.author
        stored.resolved_at = school.services.clock.now()
    assert blocks(school)


def test_cannot_ask_about_a_box_that_its_author_may_answer(school: School, face: int) -> None:
    with school.services.db.begin() as session:
        session.get_one(Face, face).score = 0.5
    with pytest.raises(BadInput, match="yourself"):
        second_look.ask(school.services, face, by=school.author)
    with school.services.db.begin() as session:
        session.get_one(Face, face).score, session.get_one(Face, face).source = 1.0, "hand"
    with pytest.raises(BadInput, match="yourself"):
        second_look.ask(school.services, face, by=school.author)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AUTHOR])
def test_nobody_asks_about_anothers_box(school: School, face: int, role: Role) -> None:
    with pytest.raises(NotFound):
        second_look.ask(school.services, face, by=school.staff[role])
    with pytest.raises(NotFound):
        second_look.take_back(school.services, face, by=school.staff[role])


def test_asking_twice_asks_once(school: School, face: int) -> None:
    asked(school, face)
    second_look.ask(school.services, face, by=school.author)
    assert waiting(school, Role.HEADTEACHER) == 1


def test_a_question_that_was_taken_back_cannot_be_answered(school: School, face: int) -> None:
    look = asked(school, face)
    second_look.take_back(school.services, face, by=school.author)
    assert waiting(school, Role.HEADTEACHER) == 0
    with pytest.raises(Conflict, match="closed"):
        second_look.answer(school.services, look, by=staff(school, Role.HEADTEACHER), no_face=True)
    assert asked(school, face) != look  # and may be asked anew


def test_an_old_page_cannot_answer_for_a_box_that_took_the_questions_number(school: School, face: int) -> None:
    """Numbers of rows are used again: what was said of one box is for that box."""
    look = asked(school, face)
    (shown,) = second_look.waiting_for(school.services, staff(school, Role.DEPUTY))
    with school.services.db.begin() as session:
        photo = session.scalars(select(Photo)).one()
        session.delete(session.get_one(Face, face))
        session.flush()
        photo.faces.append(Face(x1=120, y1=40, x2=180, y2=110, score=0.95, source="detector"))
        session.flush()
        other = photo.faces[-1].id
    assert asked(school, other) == look
    for stale in (shown.seen, ""):
        with pytest.raises(Conflict, match="not the face you were looking at"):
            second_look.answer(school.services, look, by=staff(school, Role.DEPUTY), no_face=True, seen=stale)
    assert state_of(school, other) == FaceState.UNKNOWN
    assert blocks(school)


def test_covering_the_face_closes_the_question(school: School, face: int) -> None:
    look = asked(school, face)
    resolve.cover_face(school.services, face, by=school.author)
    with pytest.raises(Conflict, match="closed"):
        second_look.answer(school.services, look, by=staff(school, Role.HEADTEACHER), no_face=True)
    assert state_of(school, face) == FaceState.COVERED


def test_what_was_confirmed_and_taken_back_confirms_nothing_any_more(school: School, face: int) -> None:
    second_look.answer(school.services, asked(school, face), by=staff(school, Role.DEPUTY), no_face=True)
    resolve.undo_face(school.services, face, by=school.author)
    with school.services.db.begin() as session:
        stored = session.get_one(Face, face)
        stored.state, stored.resolved_by = FaceState.NOT_A_FACE, school.author
        stored.resolved_at = school.services.clock.now()
    assert blocks(school)


@pytest.mark.parametrize("state", [PostState.WAITING, PostState.SCHEDULED, PostState.PUBLISHED, PostState.WITHDRAWN])
def test_nothing_is_answered_about_a_post_that_is_not_being_worked_on(
    school: School, face: int, state: PostState
) -> None:
    look = asked(school, face)
    with school.services.db.begin() as session:
        session.scalars(select(Post)).one().state = state
    assert waiting(school, Role.HEADTEACHER) == 0
    with pytest.raises(Conflict):
        second_look.answer(school.services, look, by=staff(school, Role.HEADTEACHER), no_face=True)


def test_whoever_looks_is_shown_the_box_with_a_little_around_it_and_no_more(school: School, face: int) -> None:
    store: MediaStore = school.services.media
    shown = store.put(render(np.asarray(scene(width=800, height=600))).data, ".jpg")
    with school.services.db.begin() as session:
        photo = session.scalars(select(Photo)).one()
        photo.width, photo.height, photo.preview_sha256 = 1600, 1200, shown  # the preview is half its size
    look = asked(school, face)
    (told,) = second_look.waiting_for(school.services, staff(school, Role.HEADTEACHER))
    assert (told.id, told.asked_by) == (look, "Mx Author Quarry")
    assert (told.width, told.height) == (164, 194)  # 84 px around, and the photo's edges
    assert told.box == (20, 40, 80, 110)
    seen = decode(second_look.picture_of(school.services, look, by=staff(school, Role.HEADTEACHER)))
    assert (seen.width, seen.height) == (82, 97)
