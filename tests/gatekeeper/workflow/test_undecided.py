"""Two hours before its time, whoever cannot decide hears that nobody has; once, and nothing goes out by itself."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.mail.render import EmailRenderer
from gatekeeper.people.staff import Role, Staff
from gatekeeper.posts.model import Post, Publication
from gatekeeper.posts.repository import move
from gatekeeper.posts.status import PostState
from gatekeeper.workflow import decide, request, sweep, undecided
from tests.conftest import ToldClock
from tests.factories.school import School, make_services

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def told(school: School) -> list[int]:
    with school.services.db.read() as session:
        return sorted(session.scalars(select(Notice.staff_id).where(Notice.kind == undecided.KIND)))


def office_and_author(school: School) -> list[int]:
    return sorted([school.author, school.staff[Role.ADMINISTRATOR]])


def test_office_and_author_are_told_once_two_hours_before(school: School, clock: ToldClock) -> None:
    school.ask(school.post(due_in=timedelta(hours=5)))
    clock.advance(hours=2, minutes=59)
    assert undecided.run(school.services) == 0
    clock.advance(minutes=1)
    assert undecided.run(school.services) == 2
    for _ in range(3):
        clock.advance(minutes=20)
        assert undecided.run(school.services) == 0
    assert told(school) == office_and_author(school)


def test_they_are_told_too_where_nobody_could_even_be_asked(school: School) -> None:
    post_id = school.post(due_in=timedelta(hours=1))
    with school.services.step() as session:
        move(session.get_one(Post, post_id), PostState.REQUESTING)
        session.get_one(Staff, school.head).active = False
    request.run(school.services, post_id)
    undecided.run(school.services)
    assert told(school) == office_and_author(school)


@pytest.mark.parametrize("state", sorted(set(PostState) - {PostState.WAITING, PostState.REQUESTING}))
def test_nobody_is_told_of_a_post_that_does_not_wait_for_a_decision(school: School, state: PostState) -> None:
    post_id = school.post(due_in=timedelta(hours=1))
    with school.services.db.begin() as session:
        session.get_one(Post, post_id).state = state
    assert undecided.run(school.services) == 0


def test_an_administrator_whose_account_is_closed_is_not_told(school: School) -> None:
    school.ask(school.post(due_in=timedelta(hours=1)))
    with school.services.db.begin() as session:
        session.get_one(Staff, school.staff[Role.ADMINISTRATOR]).active = False
    undecided.run(school.services)
    assert told(school) == [school.author]


def test_a_new_version_is_told_of_anew(school: School) -> None:
    post_id = school.post(due_in=timedelta(hours=1))
    school.ask(post_id)
    undecided.run(school.services)
    with school.services.db.read() as session:
        (subject,) = set(session.scalars(select(Notice.subject).where(Notice.kind == undecided.KIND)))
        assert subject.endswith(f":{session.get_one(Post, post_id).version_id}")


def test_the_round_of_the_sweep_tells_and_at_its_time_nothing_is_published(school: School, clock: ToldClock) -> None:
    post_id = school.post(due_in=timedelta(hours=3))
    school.ask(post_id)
    clock.advance(hours=1, minutes=30)
    sweep.run(school.services)
    assert told(school) == office_and_author(school)
    clock.advance(hours=2)
    sweep.run(school.services)
    assert school.state(post_id) == PostState.EXPIRED
    with school.services.db.read() as session:
        assert session.scalars(select(Publication)).all() == []
        assert decide.waiting_for(session, school.head, now=clock.now()) == []


@pytest.mark.parametrize("yours", [True, False])
def test_the_mail_says_where_and_when_and_names_no_pupil(yours: bool) -> None:
    render = EmailRenderer(TEMPLATES, school_name=lambda: "Quarry Bank Primary")
    post = {"id": 3, "channels": ["X"], "due": "Friday 27 November 2026 at 17:00", "author": "Ms Hart", "yours": yours}
    context = {"name": "Ada", "post": post, "address": "https://s.example", "link": "https://s.example/posts/3"}
    context |= {"school_name": "Quarry Bank Primary", "channel": ""}
    for part in ("body.txt", "body.html"):
        words = render.render(f"email/undecided/{part}", **context)
        assert "Nobody has decided about this post yet" in words
        assert "nothing is published" in words
        assert ("If it is urgent" in words) is yours
    assert "by Friday 27 November 2026 at 17:00" in render.render("email/undecided/subject.txt", **context)
