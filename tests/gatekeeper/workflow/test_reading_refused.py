"""A platform that refuses to be read says nothing about the post: the look waits, the office is told, nothing is sent."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from gatekeeper.errors import Conflict
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Staff
from gatekeeper.posts.model import Post
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import answer, post_view, reconcile
from gatekeeper.workflow.limits_seen import watcher
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import run

HOST = "api.linkedin.com"
S = PublicationState


@pytest.fixture
def unclear(school: School, simulator: Simulator, clock: ToldClock) -> int:
    """A post that LinkedIn took without an answer, and a page that it will not show before midnight."""
    school.open_linkedin()
    plain = school.services.channel_for
    assert plain is not None
    watch = watcher(school.services.db, clock)
    school.services = replace(
        school.services, channel_for=lambda account: watch(plain(account), account.id)
    )  # as every process has it: what a platform says of its limits is kept
    (publication,) = school.approve(school.post(kinds=("linkedin",)))
    clock.advance(hours=1)
    simulator.fault("accept_then_drop", host=HOST, method="POST", path="/rest/posts", times=1)
    run(school)
    assert school.publication(publication).state == S.UNKNOWN
    refuse(simulator)
    return publication


def refuse(simulator: Simulator, *, times: int = 1) -> None:
    """The day's limit of LinkedIn, as it answers then."""
    body = '{"message":"Resource level throttle APPLICATION DAY limit for calls to this resource is reached.","status":429}'
    simulator.fault(
        "status", host=HOST, method="GET", path="/rest/posts", times=times, status=429, body=body,
        headers={"Content-Type": "application/json"},
    )  # fmt: skip


def look(school: School, clock: ToldClock, **later: float) -> int:
    clock.advance(**later)
    return reconcile.reconcile(school.services)


def wait_for_the_moment(school: School, clock: ToldClock, publication: int) -> None:
    clock.advance(seconds=(school.publication(publication).next_at - clock.now()).total_seconds() + 1)


def asked_by_mail(school: School) -> list[str]:
    with school.services.db.read() as session:
        return list(session.scalars(select(Notice.subject).where(Notice.kind == "needs_person")))


def test_the_look_waits_for_the_moment_that_the_platform_names_and_finds_the_post(
    school: School, simulator: Simulator, clock: ToldClock, unclear: int
) -> None:
    assert look(school, clock, seconds=5) == 1
    waiting = school.publication(unclear)
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert (waiting.state, waiting.next_at) == (S.UNKNOWN, midnight)
    assert "LinkedIn does not let its posts be read before 00:00" in waiting.problem
    assert asked_by_mail(school)
    assert look(school, clock, minutes=30) == 0  # twenty minutes used to end it with a person
    assert run(school) == 0
    clock.advance(seconds=(midnight - clock.now()).total_seconds())
    assert reconcile.reconcile(school.services) == 1
    assert school.publication(unclear).state == S.PUBLISHED
    assert len(simulator.posts("linkedin")) == 1


def test_after_the_wait_it_is_tried_as_long_as_after_the_sending(
    school: School, simulator: Simulator, clock: ToldClock, unclear: int
) -> None:
    look(school, clock, seconds=5)
    asked = asked_by_mail(school)
    simulator.fault("status", host=HOST, method="GET", path="/rest/posts", times=99, status=503, body="unavailable")
    wait_for_the_moment(school, clock, unclear)
    for minutes in (0, 10, 9):
        look(school, clock, minutes=minutes)
        assert school.publication(unclear).state == S.UNKNOWN
    look(school, clock, minutes=2)
    assert school.publication(unclear).state == S.NEEDS_PERSON
    assert asked_by_mail(school) == asked  # nobody is written to twice about one try


def test_refused_day_after_day_it_goes_to_a_person(
    school: School, simulator: Simulator, clock: ToldClock, unclear: int
) -> None:
    refuse(simulator, times=99)
    look(school, clock, seconds=5)
    wait_for_the_moment(school, clock, unclear)
    for _ in range(50):
        look(school, clock, minutes=1)
    assert school.publication(unclear).state in (S.UNKNOWN, S.NEEDS_PERSON)
    for _ in range(3):
        look(school, clock, hours=25)
    assert school.publication(unclear).state == S.NEEDS_PERSON
    assert run(school) == 0


def test_a_person_may_answer_while_the_look_waits(
    school: School, simulator: Simulator, clock: ToldClock, unclear: int
) -> None:
    look(school, clock, minutes=11)
    post = simulator.posts("linkedin")[0].id
    with school.services.db.read() as session:
        head, post_id = session.get_one(Staff, school.head), session.scalars(select(Post.id)).one()
    (shown,) = post_view.post_view(school.services, post_id, head).publications
    assert shown.can_answer
    assert "look at the page yourself and answer" in shown.problem
    answer.answer(school.services, unclear, by=school.head, there=True, link=post)
    assert school.publication(unclear).remote_id == post
    assert look(school, clock, days=1) == 0


def test_cannot_answer_not_there_while_it_may_still_appear(school: School, clock: ToldClock, unclear: int) -> None:
    look(school, clock, seconds=5)
    with pytest.raises(Conflict, match="may still appear"):
        answer.answer(school.services, unclear, by=school.head, there=False)
    assert school.publication(unclear).state == S.UNKNOWN
    assert run(school) == 0


def test_cannot_answer_what_is_only_being_looked_up(school: School, clock: ToldClock, unclear: int) -> None:
    with pytest.raises(Conflict, match="answered already"):
        answer.answer(school.services, unclear, by=school.head, there=False)


def test_not_there_after_its_window_fails_it_and_sends_nothing(
    school: School, simulator: Simulator, clock: ToldClock, unclear: int
) -> None:
    look(school, clock, seconds=5)
    clock.advance(hours=3)
    answer.answer(school.services, unclear, by=school.head, there=False)
    assert school.publication(unclear).state == S.FAILED
    assert run(school) == 0


def test_a_short_wait_writes_to_nobody(school: School, simulator: Simulator, clock: ToldClock) -> None:
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    simulator.fault("accept_then_drop", host="api.twitter.com", method="POST", path="/2/tweets", times=1)
    run(school)
    reset = str(int((clock.now() + timedelta(minutes=9)).timestamp()))
    simulator.fault(
        "status", host="api.twitter.com", method="GET", path="/2/users/42/tweets", times=1, status=429,
        body='{"title":"Too Many Requests","status":429}',
        headers={"Content-Type": "application/json", "x-rate-limit-remaining": "0", "x-rate-limit-reset": reset},
    )  # fmt: skip
    assert look(school, clock, seconds=5) == 1
    assert school.publication(publication).next_at == clock.now() + timedelta(minutes=9) - timedelta(seconds=5)
    assert asked_by_mail(school) == []
    assert look(school, clock, minutes=9) == 1
    assert school.state(post) == PostState.PUBLISHED
