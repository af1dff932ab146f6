"""A post's pages say who decided and who declared what, drop what no longer holds, and lead nobody into a dead end."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from approvals.requests import Summary
from approvals.tables import Verdict
from gatekeeper.db.session import Database
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Face, Photo, Post
from gatekeeper.posts.status import FaceState, PostState
from gatekeeper.settings import Settings
from gatekeeper.workflow import case_advice, decide
from gatekeeper.workflow.consent_hold import HELD_NOTE
from gatekeeper.workflow.inbox import Waiting
from gatekeeper.workflow.post_view import progress_of
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import PIN, School, make_services
from tests.gatekeeper.web.decide.asking import appoint_deputy

Browser = Callable[[Role], FlaskClient]
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


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


def words_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def who(school: School, role: Role) -> Staff:
    with school.services.db.read() as session:
        return session.get_one(Staff, school.staff[role])


def refused_by(school: School, approver: int) -> int:
    post_id = school.post()
    secret = school.ask(post_id, approver=approver)
    form = decide.DecisionForm(
        verdict=Verdict.REFUSE, digest_shown=school.digest(post_id), typed_name="Mx Quarry",
        statement="It is not for the public.", answers={},
    )  # fmt: skip
    assert decide.decide(
        school.services, decide.prove(school.services, secret, PIN).view_secret or secret, form
    ).decision
    return post_id


@pytest.mark.parametrize("role", [Role.HEADTEACHER, Role.DEPUTY], ids=str)
def test_a_refusal_is_said_of_whoever_refused(school: School, as_role: Browser, role: Role) -> None:
    appoint_deputy(school)
    post_id = refused_by(school, school.staff[role])
    sentence = f"Mx {str(role).title()} Quarry refused this post. Nothing was published."
    assert progress_of(school.services, post_id, who(school, Role.AUTHOR)).words == sentence
    page = words_of(as_role(Role.AUTHOR).get(f"/posts/{post_id}").text)
    assert sentence in page
    assert "The headteacher refused" not in page


def test_what_the_author_declared_is_said_of_the_author(school: School, as_role: Browser) -> None:
    post_id = school.post(photos=1)
    with school.services.db.begin() as session:
        photo = session.scalars(select(Photo)).one()
        photo.people, photo.basis = "pupils", "Their families agreed."
    assert "You said: " in words_of(as_role(Role.AUTHOR).get(f"/posts/{post_id}").text)
    for role in (Role.HEADTEACHER, Role.CONSENT_LEAD):
        page = words_of(as_role(role).get(f"/posts/{post_id}").text)
        assert "Mx Author Quarry said: " in page
        assert "You said" not in page


def test_the_note_about_a_child_goes_with_what_it_was_about(school: School, as_role: Browser) -> None:
    post_id = school.post(pupils=("Wren",))
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        post.held_for_consent, post.note = True, HELD_NOTE
        school.permit(session, "Wren", "x", allowed=False)
    author = as_role(Role.AUTHOR)
    page = words_of(author.get(f"/posts/{post_id}").text)
    assert HELD_NOTE in page
    assert "Nothing is open" not in page
    with school.services.db.begin() as session:
        session.scalars(select(Face)).one().state = FaceState.COVERED
    page = words_of(author.get(f"/posts/{post_id}").text)
    assert "Nothing is open" in page
    assert HELD_NOTE not in page
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).note = "A sentence of another kind."
    assert "A sentence of another kind." in author.get(f"/posts/{post_id}").text


def test_a_frozen_post_offers_no_copy_and_a_late_press_leads_back_to_it(school: School, as_role: Browser) -> None:
    post_id, author = school.post(), as_role(Role.AUTHOR)
    assert "Use again in a new draft" in author.get(f"/posts/{post_id}").text
    case_advice.ask(school.services, "Bonfire", "May I show the fire?", by=who(school, Role.AUTHOR), post_id=post_id)
    assert "Use again in a new draft" not in author.get(f"/posts/{post_id}").text
    answer = author.post(f"/posts/{post_id}/use-again")
    assert (answer.status_code, answer.location) == (303, f"/posts/{post_id}")
    page = author.get(f"/posts/{post_id}").text
    assert page.count("You asked Mx Headteacher Quarry about this post first.") == 2  # the notice, and the answer


def test_what_came_too_late_for_a_post_leads_back_to_the_post(school: School, as_role: Browser) -> None:
    post_id = school.post()
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).state = PostState.PUBLISHED
    answer = as_role(Role.AUTHOR).post(f"/posts/{post_id}/reopen")
    assert answer.status_code == 409
    assert f'href="/posts/{post_id}">Back to the post</a>' in answer.text
    assert "Back to the start" not in answer.text
    assert "Back to the start" in as_role(Role.AUTHOR).get("/posts/999").text


def test_one_of_a_thing_is_said_as_one() -> None:
    def said(number: int) -> tuple[str, ...]:
        things = ("photos", "faces in them", "points with a reason")
        return Waiting(
            request_id="a", title="Harvest", author="", override_asked=True, ends=NOON, ends_today=True, is_short=False,
            price="", capacity="",
            summary=Summary(channels=("X",), due_at=NOON, counts={**dict.fromkeys(things, number), "overrides asked": 1}),
        ).counts  # fmt: skip

    assert said(1) == ("1 photo", "1 face in them", "1 point with a reason")
    assert said(2) == ("2 photos", "2 faces in them", "2 points with a reason")
