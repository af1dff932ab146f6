"""The schedule's pages: who sees what of whose post, and moving one's own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from gatekeeper.db.session import Database
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PostState
from gatekeeper.settings import Settings
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

SECRET = "Marrow soup day"
READERS = {Role.HEADTEACHER, Role.DEPUTY, Role.CONSENT_LEAD, Role.ADMINISTRATOR}


@pytest.fixture
def services(settings: Settings, sqlite_database: Database, clock: ToldClock, services: Services) -> Services:
    return make_services(sqlite_database, settings.data, clock, settings=settings, render=services.render)


@pytest.fixture
def school(services: Services) -> School:
    return School(services)


@pytest.fixture
def as_role(app: Flask, school: School, clock: ToldClock) -> Callable[[Role], FlaskClient]:
    def open_browser(role: Role) -> FlaskClient:
        client = app.test_client()
        with school.services.db.begin() as session:
            client.set_cookie("gatekeeper", begin_session(session, school.staff[role], now=clock.now()))
        return client

    return open_browser


def titled(school: School, state: PostState = PostState.OPEN, *, sent: bool = True) -> int:
    post_id = school.post(text="We made marrow soup.", due_in=timedelta(hours=25))
    with school.services.db.begin() as session:
        post = session.get_one(Post, post_id)
        post.title, post.state = SECRET, state
        post.version_id = post.version_id if sent else None
    return post_id


@pytest.mark.parametrize("view", ["week", "list"])
def test_others_see_only_that_the_time_is_taken(
    school: School, as_role: Callable[[Role], FlaskClient], view: str
) -> None:
    titled(school)
    for role in Role:
        page = as_role(role).get(f"/schedule?view={view}").text
        assert (SECRET in page) == (role in READERS | {Role.AUTHOR}), role
        assert ("Taken by another post" in page) == (role not in READERS | {Role.AUTHOR}), role
        assert ("Move<span" in page) == (role is Role.AUTHOR), role
        assert "10:00" in page


def test_a_draft_that_was_never_sent_is_nowhere_but_in_its_authors_schedule(
    school: School, as_role: Callable[[Role], FlaskClient]
) -> None:
    titled(school, PostState.DRAFT, sent=False)
    for role in Role:
        page = as_role(role).get("/schedule").text
        assert (SECRET in page) == (role is Role.AUTHOR), role
        assert "Taken by another post" not in page


def test_a_withdrawn_post_leaves_the_schedule(school: School, as_role: Callable[[Role], FlaskClient]) -> None:
    titled(school, PostState.WITHDRAWN)
    page = as_role(Role.AUTHOR).get("/schedule").text
    assert SECRET not in page
    assert "Nothing is planned this week" in page


def test_a_mistyped_address_shows_the_present_week(school: School, as_role: Callable[[Role], FlaskClient]) -> None:
    client = as_role(Role.AUTHOR)
    for address in ("?from=nonsense", "?from=9999-12-31", "?from=0001-01-01", "?view=moon", "?from="):
        answer = client.get(f"/schedule{address}")
        assert answer.status_code == 200, address
        assert "Week of 23 Nov 2026" in answer.text


def test_the_night_on_which_the_clocks_go_back_shows_both_hours(
    school: School, as_role: Callable[[Role], FlaskClient]
) -> None:
    for hour in (0, 1):
        post_id = school.post()
        with school.services.db.begin() as session:
            session.get_one(Post, post_id).due_at = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    page = as_role(Role.AUTHOR).get("/schedule?from=2026-10-25").text
    assert "01:30 BST (UTC+1)" in page
    assert "01:30 GMT (UTC+0)" in page
    assert "this day has 25 hours" in page


def form_of(school: School, post_id: int, **changes: str) -> dict[str, str]:
    with school.services.db.read() as session:
        post = session.get_one(Post, post_id)
        form = {"revision": str(post.revision), "seen": str(post.state)}
    return {**form, "due_date": "2026-11-26", "due_time": "14:00", **changes}


def test_the_page_says_before_the_press_that_approval_is_asked_again(
    school: School, as_role: Callable[[Role], FlaskClient]
) -> None:
    post_id = school.post()
    school.approve(post_id)
    page = as_role(Role.AUTHOR).get(f"/schedule/posts/{post_id}").text
    assert "That approval ends." in page
    assert "Move it and send it again" in page
    assert school.state(post_id) == PostState.SCHEDULED


def test_moving_an_approved_post_sends_it_for_checking_again(
    school: School, as_role: Callable[[Role], FlaskClient]
) -> None:
    post_id = school.post()
    school.approve(post_id)
    answer = as_role(Role.AUTHOR).post(f"/schedule/posts/{post_id}", data=form_of(school, post_id))
    assert answer.status_code == 303
    assert school.state(post_id) == PostState.SCANNING
    page = as_role(Role.AUTHOR).get(f"/posts/{post_id}").text
    assert "moved the post to another time" in page


def test_a_time_that_cannot_be_is_refused_and_stays_typed(
    school: School, as_role: Callable[[Role], FlaskClient]
) -> None:
    post_id, client = school.post(), as_role(Role.AUTHOR)
    for typed, sentence in (
        ({"due_time": "25:99"}, "not a time of day"),
        ({"due_date": "31/02/2027"}, "not a date"),
        ({"due_date": "9999-12-31", "due_time": "23:59"}, "more than a year away"),
        ({"due_date": "0001-01-01", "due_time": "00:00"}, "has passed"),
        ({"due_date": "2026-11-20"}, "has passed"),
        ({"due_date": "2027-03-28", "due_time": "01:30"}, "does not exist that night"),
        ({"due_date": "2027-10-31", "due_time": "01:30"}, "comes twice that night"),
        ({"due_date": ""}, "Choose the day"),
    ):
        answer = client.post(f"/schedule/posts/{post_id}", data=form_of(school, post_id, **typed))
        assert answer.status_code == 422, typed
        assert sentence in answer.text, typed
        assert all(f'value="{word}"' in answer.text for word in typed.values() if word), typed
    assert school.state(post_id) == PostState.OPEN


def test_a_second_tab_is_told_and_keeps_what_was_typed(school: School, as_role: Callable[[Role], FlaskClient]) -> None:
    post_id = school.post()
    client = as_role(Role.AUTHOR)
    first, second = form_of(school, post_id), form_of(school, post_id, due_time="15:30")
    assert client.post(f"/schedule/posts/{post_id}", data=first).status_code == 303
    answer = client.post(f"/schedule/posts/{post_id}", data=second)
    assert answer.status_code == 409
    assert 'value="15:30"' in answer.text
    with school.services.db.read() as session:
        assert session.get_one(Post, post_id).due_at == datetime(2026, 11, 26, 14, tzinfo=UTC)


def test_looking_at_a_time_moves_nothing(school: School, as_role: Callable[[Role], FlaskClient]) -> None:
    post_id = school.post()
    client = as_role(Role.AUTHOR)
    saturday = form_of(school, post_id, due_date="2026-11-28", do="look")
    answer = client.post(f"/schedule/posts/{post_id}", data=saturday, follow_redirects=True)
    assert "This is a Saturday." in answer.text
    assert school.state(post_id) == PostState.OPEN


def test_nobody_moves_somebody_elses_post(school: School, as_role: Callable[[Role], FlaskClient]) -> None:
    post_id = school.post()
    for role in set(Role) - {Role.AUTHOR}:
        client = as_role(role)
        for method in ("GET", "POST"):
            answer = client.open(f"/schedule/posts/{post_id}", method=method, data=form_of(school, post_id))
            assert answer.status_code == (403 if role is Role.AUDITOR else 404), role
    assert school.state(post_id) == PostState.OPEN


@pytest.mark.parametrize("page", ["/posts/{}", "/posts/{}/edit"])
def test_the_pages_of_a_post_say_what_its_time_is_worth_a_second_look_for(
    school: School, as_role: Callable[[Role], FlaskClient], page: str
) -> None:
    post_id, _ = school.post(due_in=timedelta(hours=10)), school.post(due_in=timedelta(hours=10, minutes=20))
    text = as_role(Role.AUTHOR).get(page.format(post_id)).text
    assert "This is outside the school day (08:00 to 17:00)." in text
    assert "It goes to X and Facebook 20 minutes before “Harvest”." in text


def test_nobody_learns_from_a_remark_what_they_may_not_read(
    school: School, as_role: Callable[[Role], FlaskClient]
) -> None:
    """The time of another's waiting post is known to everybody; its title and its words are not."""
    titled(school)
    mine = school.post(text="We made marrow soup.", due_in=timedelta(hours=25))
    with school.services.db.begin() as session:
        session.get_one(Post, mine).author_id = school.staff[Role.LINE_MANAGER]
    text = as_role(Role.LINE_MANAGER).get(f"/posts/{mine}").text
    assert "at the same time as another post." in text
    assert SECRET not in text
    assert "same words" not in text


def test_a_full_year_of_posts_is_read_with_few_questions_to_the_database(
    school: School, as_role: Callable[[Role], FlaskClient]
) -> None:
    """However many posts there are: nothing is asked about each of them."""
    asked: list[str] = []
    client = as_role(Role.AUTHOR)

    def questions() -> int:
        asked.clear()
        client.get("/schedule")
        return len(asked)

    event.listen(school.services.db.engine, "before_cursor_execute", lambda _c, _cur, said, *_: asked.append(said))
    questions()  # the first look also notes that this browser was seen
    few = questions()
    for number in range(12):
        school.post(text=f"Post {number}", due_in=timedelta(hours=number))
    assert questions() == few
    (read,) = [said for said in asked if "post.due_at >=" in said]
    assert "post.state IN" in read  # the index begins with the state
