"""The computer's clock may be set while a post is on its way: nothing is failed, doubled or kept waiting for it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import publish, reconcile
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import fault_on_create, live, no_guard, run


def test_a_clock_set_back_between_claim_and_intent_only_makes_the_post_wait(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    (claim,) = claiming.claim_due(school.services, owner="test")
    clock.advance(minutes=-59)
    publish.publish(school.services, claim, guard=no_guard)
    assert live(simulator)["x"] == 0
    assert school.publication(publication).state == PublicationState.SCHEDULED
    assert run(school) == 0, "it would be early"
    clock.advance(minutes=59)
    assert run(school) == 1
    assert live(simulator)["x"] == 1


def test_a_window_that_closes_between_claim_and_intent_is_missed_and_not_failed(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(kinds=("x",))
    school.approve(post)
    clock.advance(hours=2, minutes=59, seconds=59)
    (claim,) = claiming.claim_due(school.services, owner="test")
    clock.advance(seconds=2)
    publish.publish(school.services, claim, guard=no_guard)
    run(school)
    assert live(simulator)["x"] == 0
    assert school.state(post) == PostState.MISSED


def test_a_clock_set_back_does_not_keep_a_dead_claim_for_an_hour(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=2)
    claiming.claim_due(school.services, owner="dies")
    clock.advance(minutes=-60)
    reconcile.recover(school.services)
    clock.advance(seconds=61)
    reconcile.recover(school.services)
    assert school.publication(publication).state == PublicationState.SCHEDULED
    assert run(school) == 1
    assert live(simulator)["x"] == 1


@pytest.mark.parametrize("kind", ["x", "facebook"])
def test_a_clock_set_back_after_an_unclear_answer_still_lets_the_post_be_found(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    (publication,) = school.approve(school.post(kinds=(kind,)))
    clock.advance(hours=2)
    fault_on_create(simulator, kind, "accept_then_drop")

    @contextmanager
    def an_hour_ahead(_seconds: float) -> Iterator[None]:
        clock.advance(minutes=-60)  # the platform's own clock was right all the time
        try:
            yield
        finally:
            clock.advance(minutes=60)

    (claim,) = claiming.claim_due(school.services, owner="test")
    publish.publish(school.services, claim, guard=an_hour_ahead)
    assert school.publication(publication).state in {PublicationState.UNKNOWN, PublicationState.PUBLISHED}
    clock.advance(minutes=-60)
    for _ in range(3):
        clock.advance(seconds=10)
        reconcile.recover(school.services)
        reconcile.reconcile(school.services)
    assert school.publication(publication).state == PublicationState.PUBLISHED
    assert live(simulator)[kind] == 1
