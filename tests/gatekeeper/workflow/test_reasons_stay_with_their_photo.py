"""A written reason is for the photo it was given to: another photo in its place is asked about anew."""

from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.errors import Conflict
from gatekeeper.policy.verdict import finding_against
from gatekeeper.posts.model import Finding, Post
from gatekeeper.posts.status import FaceState, FindingState, PostState
from gatekeeper.workflow import photos, resolve, scan
from gatekeeper.workflow.facts import facts_of
from gatekeeper.workflow.words_view import seen_as
from tests.conftest import ToldClock
from tests.factories.looking import BarReader, MagentaFinder, check_again, picture, submitted
from tests.factories.school import School, make_services

REASON = "It is the name of a writer on a poster."


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock, faces=MagentaFinder(), reader=BarReader()))


def checked(school: School, post_id: int) -> None:
    scan.scan(school.services, post_id)
    assert school.state(post_id) == PostState.OPEN


def found(school: School, post_id: int, ending: str) -> Finding:
    with school.services.db.read() as session:
        version = session.get_one(Post, post_id).version_id
        rows = session.scalars(select(Finding).where(Finding.version_id == version, Finding.field.endswith(ending)))
        return rows.one()


def put_in_its_place(school: School, post_id: int, data: bytes) -> None:
    with school.services.db.read() as session:
        old = session.get_one(Post, post_id).photos[0].id
    photos.remove_photo(school.services, old, school.author)
    photos.add_photo(school.services, post_id, school.author, data=data, file_name="IMG_0.png")
    check_again(school, post_id)
    checked(school, post_id)


def test_a_reason_for_letters_in_one_photo_is_none_for_the_same_letters_in_another(school: School) -> None:
    post_id = submitted(school, picture(bar=(20, 20, 200, 60)))
    checked(school, post_id)
    resolve.ask_override(school.services, found(school, post_id, ".lettering").id, by=school.author, reason=REASON)
    put_in_its_place(school, post_id, picture(bar=(60, 200, 260, 260)))
    assert found(school, post_id, ".lettering").state == FindingState.OPEN


def test_a_reason_for_letters_stays_with_its_photo_while_other_things_change(school: School) -> None:
    post_id = submitted(school, picture(bar=(20, 20, 200, 60)))
    checked(school, post_id)
    resolve.ask_override(school.services, found(school, post_id, ".lettering").id, by=school.author, reason=REASON)
    check_again(school, post_id, change=lambda post: setattr(post, "revision", post.revision + 1))
    checked(school, post_id)
    assert found(school, post_id, ".lettering").reason == REASON


def close_up(school: School, post_id: int, *, who: str = "Wren") -> None:
    """The one face is a pupil's, and large."""
    with school.services.db.read() as session:
        (face,) = session.get_one(Post, post_id).photos[0].faces
    pupil = school.pupils[who]
    resolve.clear_face(school.services, face.id, by=school.author, state=FaceState.PUPIL, pupil_id=pupil)


def test_a_reason_for_a_close_up_is_none_for_another_childs(school: School) -> None:
    post_id = submitted(school, picture(150, width=270))
    checked(school, post_id)
    close_up(school, post_id)
    resolve.answer_finding(
        school.services, _close_up(school, post_id).id, by=school.author, reason="The family asked for a portrait."
    )
    put_in_its_place(school, post_id, picture(150, width=271))  # another picture, a face at the very same place
    close_up(school, post_id)
    assert _close_up(school, post_id).state == FindingState.OPEN


def test_a_reason_for_one_childs_close_up_is_none_once_it_is_said_to_be_another_child(school: School) -> None:
    post_id = submitted(school, picture(150, width=270))
    checked(school, post_id)
    close_up(school, post_id)
    resolve.answer_finding(
        school.services, _close_up(school, post_id).id, by=school.author, reason="Her family asked for a portrait."
    )
    close_up(school, post_id)  # said again: nothing is different
    assert _close_up(school, post_id).state == FindingState.ANSWERED
    check_again(school, post_id, change=lambda post: setattr(post, "revision", post.revision + 1))
    checked(school, post_id)
    assert _close_up(school, post_id).state == FindingState.ANSWERED
    close_up(school, post_id, who="Jonty")
    assert _close_up(school, post_id).state == FindingState.OPEN


def _close_up(school: School, post_id: int) -> Finding:
    with school.services.db.read() as session:
        version = session.get_one(Post, post_id).version_id
        query = select(Finding).where(Finding.version_id == version, Finding.rule == "photo-close-up")
        return session.scalars(query).one()


def test_leave_asked_for_a_name_alone_is_none_for_the_name_beside_a_face(school: School) -> None:
    """The author asked for a name in the words; nobody had said yet that a pupil can be recognised."""
    post_id = submitted(school, picture(20), text="Well done, Wren Applethwaite!")
    checked(school, post_id)
    name = found(school, post_id, "text")
    resolve.ask_override(school.services, name.id, by=school.author, reason="The family asked us to name her.")
    close_up(school, post_id)
    joint = found(school, post_id, "text")
    assert "can be recognised" in joint.message
    assert joint.state == FindingState.OPEN
    with school.services.db.read() as session:
        facts = facts_of(session, session.get_one(Post, post_id), today=school.services.clock.now().date())
        assert any(finding_against(finding) for finding in facts.findings if finding.id == joint.id)


def test_leave_asked_for_a_name_beside_a_face_stays_while_both_are_there(school: School) -> None:
    post_id = submitted(school, picture(20), text="Well done, Wren Applethwaite!")
    checked(school, post_id)
    close_up(school, post_id)
    name = found(school, post_id, "text")
    resolve.ask_override(school.services, name.id, by=school.author, reason="The family asked us to name her.")
    close_up(school, post_id)  # said again: nothing is different
    assert found(school, post_id, "text").state == FindingState.OVERRIDE
    check_again(school, post_id, change=lambda post: setattr(post, "revision", post.revision + 1))
    checked(school, post_id)
    assert found(school, post_id, "text").state == FindingState.OVERRIDE


def test_an_old_page_cannot_give_a_reason_to_a_finding_that_took_the_number(school: School) -> None:
    """What is found of faces comes and goes with the answers, and numbers of rows are used again."""
    post_id = submitted(school, picture(150, width=270))
    checked(school, post_id)
    close_up(school, post_id)
    old = _close_up(school, post_id)
    close_up(school, post_id, who="Jonty")
    new = _close_up(school, post_id)
    assert seen_as(new) != seen_as(old)
    for stale in (seen_as(old), ""):
        with pytest.raises(Conflict, match="changed"):
            resolve.answer_finding(school.services, new.id, by=school.author, reason=REASON, seen=stale)
        with pytest.raises(Conflict, match="changed"):
            resolve.ask_override(school.services, new.id, by=school.author, reason=REASON, seen=stale)
    resolve.answer_finding(school.services, new.id, by=school.author, reason=REASON, seen=seen_as(new))
