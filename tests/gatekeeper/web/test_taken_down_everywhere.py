"""A post that was taken down reads the same on every page, and nobody is said to have done what they did not do."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gatekeeper.db.session import Database
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.digest import Content
from gatekeeper.posts.model import Post, Publication, Version
from gatekeeper.posts.public import Takedown
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.settings import Settings
from gatekeeper.workflow.calendar import week_of
from gatekeeper.workflow.decision_neighbours import neighbours_of
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

Browser = Callable[[Role], FlaskClient]
TEXT = "Well done, Wren Applethwaite, from all of us at the fair!"


@pytest.fixture
def services(settings: Settings, sqlite_database: Database, clock: ToldClock, services: Services) -> Services:
    return make_services(sqlite_database, settings.data, clock, settings=settings, render=services.render)


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


@pytest.fixture
def as_role(app: Flask, school: School, clock: ToldClock) -> Browser:
    def open_browser(role: Role) -> FlaskClient:
        client = app.test_client()
        with school.services.db.begin() as session:
            client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return client

    return open_browser


@pytest.fixture
def published(school: School, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[int]]:
    """A post on two channels that went out at 10:00, with its publications."""
    monkeypatch.setattr("gatekeeper.workflow.decide.find_against", lambda *_, **__: None)
    post_id = school.post(text=TEXT)
    ids = school.approve(post_id)
    with school.services.db.begin() as session:
        for number in ids:
            one = session.get_one(Publication, number)
            one.state, one.remote_id = PublicationState.PUBLISHED, f"r{number}"
            one.published_at = one.sent_at = datetime(2026, 11, 23, 10, tzinfo=UTC)
        post = session.get_one(Post, post_id)
        post.state, post.title = PostState.PUBLISHED, "The fair"
    return post_id, ids


def take_down(school: School, publications: list[int]) -> None:
    """The headteacher orders it, and at 11:30 the platform shows that it is gone."""
    at = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
    with school.services.db.begin() as session:
        for number in publications:
            one = session.get_one(Publication, number)
            session.add(
                Takedown(
                    account_id=one.account_id, publication_id=number, remote_id=one.remote_id, why="mistake", words="",
                    asked_by=school.head, asked_at=at, next_at=at, state="gone", confirmed_at=at,
                )
            )  # fmt: skip


def words_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def pages(school: School, as_role: Browser, post_id: int) -> dict[str, str]:
    """What each page says about the post, as plain words."""
    head, child = as_role(Role.HEADTEACHER), f"/pupils/{school.pupils['Wren']}/posts"
    head.post(child, data={"reason": "The mother asked on 20 November"})
    return {
        "posts": words_of(as_role(Role.AUTHOR).get("/").text),
        "post": words_of(head.get(f"/posts/{post_id}").text),
        "schedule": words_of(head.get("/schedule").text),
        "decisions": words_of(head.get("/decisions").text),
        "child": words_of(head.get(child).text),
    }


@pytest.mark.parametrize("all_of_it", [True, False])
def test_every_page_says_that_it_was_taken_down(
    school: School, as_role: Browser, published: tuple[int, list[int]], *, all_of_it: bool
) -> None:
    post_id, ids = published
    take_down(school, ids if all_of_it else ids[:1])
    for name, words in pages(school, as_role, post_id).items():
        assert "Taken down" in words, name
        assert ("Taken down in part" in words) is not all_of_it, name
        if name in {"schedule", "decisions", "child"}:
            assert ("Published" in words) is (name == "child" and not all_of_it), name  # the channel that is left


def test_the_posts_page_names_its_author_as_the_author_and_says_when_it_was_gone(
    school: School, as_role: Browser, published: tuple[int, list[int]]
) -> None:
    post_id, ids = published
    take_down(school, ids)
    for role in (Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR):
        words = words_of(as_role(role).get(f"/posts/{post_id}").text)
        assert "Written by Mx Author Quarry" in words
        assert "by Mx Author Quarry" not in words.replace("Written by Mx Author Quarry", "")
        assert words.count("Published on Mon 23 Nov 2026, 10:00 ; gone on Mon 23 Nov 2026, 11:30 .") == 2
        assert "taken down since on" not in words


def test_a_post_that_is_gone_is_close_to_nothing_and_its_words_are_remembered(
    school: School, published: tuple[int, list[int]]
) -> None:
    _, ids = published
    other = school.post(text="Quite another matter, and nothing of the fair.")
    again = school.post(text=TEXT)
    with school.services.db.read() as session:
        asked, same = (_content(session.get_one(Post, one), session) for one in (other, again))
        assert [one.repeats for one in neighbours_of(session, other, asked)] == [False]
    take_down(school, ids[:1])
    with school.services.db.read() as session:
        assert len(neighbours_of(session, other, asked)) == 1  # it still stands on the other channel
    take_down(school, ids[1:])
    with school.services.db.read() as session:
        assert neighbours_of(session, other, asked) == ()
        (repeat,) = neighbours_of(session, again, same)
        assert (repeat.repeats, repeat.gone) == (True, True)
        head = session.get_one(Staff, school.head)
    shown = {post.id: post for day in week_of(school.services, head).days for post in day.posts}
    assert not [one for one in shown[other].remarks if one.rule == "collision" and "The fair" in one.sentence]
    assert [one.rule for one in shown[again].remarks if one.rule == "repeat"] == ["repeat"]


def _content(post: Post, session) -> Content:  # noqa: ANN001 - the session of a test
    return Content.from_canonical(session.get_one(Version, post.version_id).canonical)
