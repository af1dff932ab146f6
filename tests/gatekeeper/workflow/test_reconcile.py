"""What is not known is looked up and never repeated; what cannot be read is asked of a person."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import select

from gatekeeper.channels.base import Channel
from gatekeeper.errors import SettingsError
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Attempt, ChannelAccount
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import answer, publish, reconcile
from gatekeeper.workflow import claim as claiming
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import fault_on_create, live, run, to_a_person


@pytest.mark.parametrize("mode", ["accept_then_drop", "accept_then_5xx", "accept_then_garbage"])
@pytest.mark.parametrize("kind", ["x", "facebook"])
def test_an_unclear_answer_is_looked_up_and_found(
    school: School, simulator: Simulator, clock: ToldClock, kind: str, mode: str
) -> None:
    post = school.post(kinds=(kind,))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    fault_on_create(simulator, kind, mode)
    run(school)
    assert school.publication(publication).state == PublicationState.UNKNOWN
    clock.advance(seconds=5)
    assert reconcile.reconcile(school.services) == 1
    assert school.publication(publication).state == PublicationState.PUBLISHED
    assert live(simulator)[kind] == 1
    assert school.state(post) == PostState.PUBLISHED


@pytest.mark.parametrize("kind", ["x", "facebook"])
def test_absence_in_a_timeline_never_allows_a_resend(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    """Dropped before it took effect looks the same as dropped after: four looks, then a person is asked."""
    post = school.post(kinds=(kind,))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    fault_on_create(simulator, kind, "drop_before")
    run(school)
    for seconds in (5, 25, 90, 480):
        clock.advance(seconds=seconds)
        assert reconcile.reconcile(school.services) == 1
        assert run(school) == 0
    assert school.publication(publication).state == PublicationState.NEEDS_PERSON
    assert school.state(post) == PostState.NEEDS_PERSON
    clock.advance(minutes=20)
    assert reconcile.reconcile(school.services) == 0
    assert run(school) == 0
    assert live(simulator)[kind] == 0


def test_a_person_who_says_not_there_lets_it_be_sent_once_more(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    to_a_person(school, simulator, clock, "x")
    answer.answer(school.services, publication, by=school.author, there=False)
    run(school)
    assert live(simulator)["x"] == 1
    assert school.state(post) == PostState.PUBLISHED
    with school.services.db.read() as session:
        assert [a.outcome for a in session.scalars(select(Attempt).order_by(Attempt.fence))] == [
            "unknown",
            "published",
        ]


def test_a_person_who_says_it_is_there_settles_it_without_a_send(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    to_a_person(school, simulator, clock, "x")
    answer.answer(school.services, publication, by=school.head, there=True, link="https://x.com/school/status/190012")
    assert school.publication(publication).remote_id == "190012"
    assert run(school) == 0


def test_a_publication_that_cannot_be_looked_up_stops_no_other_and_goesto_a_person(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    (riddle,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    fault_on_create(simulator, "x", "drop_before")
    run(school)
    working = school.services.channel_for
    assert working is not None

    def closed_for_x(account: ChannelAccount) -> Channel:
        if account.kind == "x":
            raise SettingsError("No keys are stored for this account.")
        return working(account)

    services = replace(school.services, channel_for=closed_for_x)
    for _ in range(50):
        clock.advance(seconds=30)
        reconcile.reconcile(services)
    assert school.publication(riddle).state == PublicationState.NEEDS_PERSON


def test_only_the_author_and_the_office_can_answer(school: School, simulator: Simulator, clock: ToldClock) -> None:
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    to_a_person(school, simulator, clock, "x")
    with pytest.raises(Exception, match="Only the author"):
        answer.answer(school.services, publication, by=school.staff[Role.AUDITOR], there=False)
    with pytest.raises(Exception, match="address"):
        answer.answer(school.services, publication, by=school.head, there=True, link="I saw it")


def test_a_crash_between_sending_and_recording_is_found_and_not_repeated(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    (claim,) = claiming.claim_due(school.services, owner="dies")

    @contextmanager
    def killed_after(_seconds: float) -> Iterator[None]:
        yield
        raise KeyboardInterrupt  # not an Exception: nothing in the program catches it, as nothing catches SIGKILL

    with pytest.raises(KeyboardInterrupt):
        publish.publish(school.services, claim, guard=killed_after)
    assert school.publication(publication).state == PublicationState.SENDING
    assert run(school) == 0
    clock.advance(seconds=60 + 121)
    reconcile.recover(school.services)
    reconcile.reconcile(school.services)
    assert school.publication(publication).state == PublicationState.PUBLISHED
    assert live(simulator)["x"] == 1
