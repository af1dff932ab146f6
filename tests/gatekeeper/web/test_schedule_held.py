"""What is held, missed or asked about is marked on the schedule, in the week and in the list, channel by channel."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from gatekeeper.db.session import Database
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import ChannelAccount, Post, Publication
from gatekeeper.posts.status import PostState
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.settings import Settings
from gatekeeper.workflow import emergency
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

HELD = "Approved, and held"
both_views = pytest.mark.parametrize("view", ["week", "list"])


@pytest.fixture
def services(settings: Settings, sqlite_database: Database, clock: ToldClock, services: Services) -> Services:
    return make_services(sqlite_database, settings.data, clock, settings=settings, render=services.render)


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


@pytest.fixture
def page(app: Flask, school: School, clock: ToldClock) -> Callable[..., str]:
    """The schedule as somebody of this role reads it."""

    def read(view: str, role: Role = Role.AUTHOR) -> str:
        client: FlaskClient = app.test_client()
        with school.services.db.begin() as session:
            client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return str(client.get(f"/schedule?view={view}").text)

    return read


def approved(school: School, *kinds: str) -> list[int]:
    return list(school.approve(school.post(kinds=kinds, due_in=timedelta(hours=3))))


def hold(school: School, kind: str) -> None:
    with school.services.db.begin() as session:
        session.execute(
            update(ChannelAccount).where(ChannelAccount.kind == kind).values(status="held", held_reason="They ended.")
        )


def end(school: School, publication: int, state: S, *, post: PostState) -> None:
    with school.services.db.begin() as session:
        session.execute(update(Publication).where(Publication.id == publication).values(state=state))
        session.execute(update(Post).values(state=post))


@both_views
def test_a_post_on_a_channel_that_is_held_is_marked(school: School, page: Callable[..., str], view: str) -> None:
    approved(school, "x", "facebook")
    assert HELD not in page(view)
    hold(school, "facebook")
    shown = page(view)
    assert HELD in shown
    assert "Facebook is held: the post waits for it." in shown
    assert "X is held" not in shown
    assert "1 post waits for a channel that is held" in shown
    assert "slot-warning" in shown


@both_views
def test_the_emergency_stop_marks_every_approved_post(school: School, page: Callable[..., str], view: str) -> None:
    approved(school, "x")
    emergency.press(school.services, by=school.head)
    shown = page(view)
    assert HELD in shown
    assert "slot-warning" in shown


@pytest.mark.parametrize(
    ("state", "post", "words"),
    [
        (S.NEEDS_PERSON, PostState.NEEDS_PERSON, "X: a person must look."),
        (S.MISSED, PostState.SCHEDULED, "X: missed its time."),
        (S.FAILED, PostState.PARTLY, "X: not published."),
    ],
    ids=["asked", "missed", "failed"],
)
def test_of_several_channels_the_one_that_ended_otherwise_is_named(
    school: School, page: Callable[..., str], state: S, post: PostState, words: str
) -> None:
    on_x, _ = approved(school, "x", "facebook")
    end(school, on_x, state, post=post)
    for view in ("week", "list"):
        assert words in page(view)
        assert "Facebook:" not in page(view)


@pytest.mark.parametrize(
    ("state", "post", "badge"),
    [
        (S.NEEDS_PERSON, PostState.NEEDS_PERSON, "A person must look"),
        (S.MISSED, PostState.MISSED, "Missed its time"),
    ],
    ids=["asked", "missed"],
)
def test_of_a_single_channel_the_posts_own_badge_says_it_once(
    school: School, page: Callable[..., str], state: S, post: PostState, badge: str
) -> None:
    (publication,) = approved(school, "x")
    end(school, publication, state, post=post)
    for view in ("week", "list"):
        assert badge in page(view)
        assert "slot-mark" not in page(view)


def test_whoever_may_not_read_the_post_is_not_told_that_it_is_held(school: School, page: Callable[..., str]) -> None:
    approved(school, "facebook")
    hold(school, "facebook")
    shown = page("week", Role.AUDITOR)
    assert "Taken by another post" in shown
    assert "is held" not in shown
