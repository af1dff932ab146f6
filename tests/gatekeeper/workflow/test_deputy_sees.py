"""A deputy sees the words, the names and the uncovered photos of what they decide, and of no other post."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.errors import NotFound
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Photo, Post
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import deputies
from gatekeeper.workflow.deputies import Naming
from gatekeeper.workflow.draft_view import photo_bytes
from gatekeeper.workflow.due import TypedDue
from gatekeeper.workflow.post_view import post_view
from gatekeeper.workflow.versions_view import versions_view
from tests.conftest import ToldClock
from tests.factories.school import School, make_services


@pytest.fixture
def school(sqlite_database: Database, tmp_path, clock: ToldClock) -> School:  # noqa: ANN001 - pytest's own
    return School(make_services(sqlite_database, tmp_path, clock))


def name(school: School, *, starts: str = "") -> None:
    naming = Naming(
        deputy_id=school.staff[Role.DEPUTY],
        starts=TypedDue.read(starts),
        ends=TypedDue.read("2026-11-27 17:00"),
        reason="I am at the heads' conference.",
    )
    deputies.name_deputy(school.services, naming, by=school.head, proof_method="pin")


def post_of_wren(school: School, *, by_head: bool = False) -> int:
    post_id = school.post(pupils=("Wren",), text="Well done, Wren Applethwaite!", due_in=timedelta(days=30))
    if by_head:
        with school.services.db.begin() as session:
            session.get_one(Post, post_id).author_id = school.head
    return post_id


def sees(school: School, post_id: int) -> bool:
    """Whether the deputy is shown the words, the names and the uncovered photo: all of it, or nothing."""
    with school.services.db.read() as session:
        by = session.get_one(Staff, school.staff[Role.DEPUTY])
        photo_id = session.scalars(select(Photo.id).where(Photo.post_id == post_id)).one()
    seen, compared = post_view(school.services, post_id, by), versions_view(school.services, post_id, by)
    try:
        photo_bytes(school.services, photo_id, by, public=True)
    except NotFound:
        with pytest.raises(NotFound):
            photo_bytes(school.services, photo_id, by, public=False)
        assert "Wren" not in repr(seen)
        assert not compared.words
        return False
    assert seen.pictures
    assert "Wren" in repr(seen)
    assert compared.words
    return True


def test_cannot_see_words_names_or_photos_as_a_deputy_who_is_not_named_and_was_not_asked(school: School) -> None:
    post_id = post_of_wren(school)
    assert not sees(school, post_id)
    school.ask(post_id)  # the headteacher is asked
    assert not sees(school, post_id)


def test_a_deputy_sees_posts_while_they_are_named_not_before_and_not_after(school: School, clock: ToldClock) -> None:
    post_id = post_of_wren(school)
    name(school, starts="2026-11-24 09:00")
    assert not sees(school, post_id)
    clock.advance(days=1, hours=2)
    assert sees(school, post_id)
    clock.advance(days=5)
    assert not sees(school, post_id)


def test_a_deputy_goes_on_seeing_what_they_were_asked_about_and_nothing_else(school: School, clock: ToldClock) -> None:
    post_id, other = post_of_wren(school), post_of_wren(school)
    school.ask(post_id, approver=school.staff[Role.DEPUTY])
    clock.advance(days=60)  # the question is over long since
    assert sees(school, post_id)
    assert not sees(school, other)


def test_a_deputy_sees_the_headteachers_own_post(school: School) -> None:
    assert sees(school, post_of_wren(school, by_head=True))


def test_cannot_see_a_draft_that_was_never_sent_as_a_named_deputy(school: School) -> None:
    post_id = post_of_wren(school)
    name(school)
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        post.state, post.version_id = PostState.DRAFT, None
        by = session.get_one(Staff, school.staff[Role.DEPUTY])
    with pytest.raises(NotFound):
        post_view(school.services, post_id, by)
