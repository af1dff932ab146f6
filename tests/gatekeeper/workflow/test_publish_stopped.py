"""Nothing is sent while everything is stopped: not what is due, not what is claimed, not what is about to leave."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from gatekeeper.posts.model import Attempt, EmergencyStop, Restoration
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import publish
from gatekeeper.workflow.stopped import EMERGENCY, RESTORED, sending_stopped
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import live, no_guard, run


def press(school: School) -> None:
    with school.services.db.begin() as session:
        now = school.services.clock.now()
        session.add(EmergencyStop(pressed_by=school.head, pressed_at=now, reason="A fire drill.", standing=1))


def lift(school: School) -> None:
    with school.services.db.begin() as session:
        stop = session.scalars(select(EmergencyStop)).one()
        stop.standing, stop.lifted_at, stop.lifted_by = None, school.services.clock.now(), school.head


def restore(school: School) -> None:
    with school.services.db.begin() as session:
        now = school.services.clock.now()
        session.add(Restoration(taken_at=now, restored_at=now))


def finish_restore(school: School) -> None:
    with school.services.db.begin() as session:
        session.scalars(select(Restoration)).one().finished_at = school.services.clock.now()


STOPS = {"emergency stop": (press, lift, EMERGENCY), "restore": (restore, finish_restore, RESTORED)}


@pytest.mark.parametrize("kind", STOPS)
def test_what_is_stopped_keeps_its_place_and_goes_out_afterwards(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    begin, end, sentence = STOPS[kind]
    post = school.post()
    school.approve(post)
    begin(school)
    with school.services.db.read() as session:
        assert sending_stopped(session) == sentence
    clock.advance(hours=1)
    assert run(school) == 0
    assert not simulator.requests("POST")
    end(school)
    assert run(school) == 2
    assert live(simulator) == {"x": 1, "facebook": 1}
    assert school.state(post) == PostState.PUBLISHED


def test_what_was_claimed_when_the_stop_was_pressed_is_put_back(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    (publication,) = school.approve(school.post(kinds=("x",), photos=1))
    clock.advance(hours=1)
    (claim,) = claiming.claim_due(school.services, owner="test")
    press(school)
    publish.publish(school.services, claim, guard=no_guard)
    assert not simulator.requests("POST"), "not even a picture may leave the school"
    put_back = school.publication(publication)
    assert (put_back.state, put_back.problem) == (PublicationState.SCHEDULED, EMERGENCY)
    lift(school)
    assert run(school) == 1
    assert live(simulator)["x"] == 1


def test_a_stop_pressed_after_the_intent_still_comes_in_time(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    (claim,) = claiming.claim_due(school.services, owner="test")

    @contextmanager
    def pressed_now(_seconds: float) -> Iterator[None]:
        press(school)
        yield

    publish.publish(school.services, claim, guard=pressed_now)
    assert live(simulator)["x"] == 0
    assert school.publication(publication).state == PublicationState.SCHEDULED
    with school.services.db.read() as session:
        assert [attempt.outcome for attempt in session.scalars(select(Attempt))] == ["not_sent"]
    lift(school)
    clock.advance(minutes=1)
    run(school)
    assert live(simulator)["x"] == 1


def test_a_stop_that_outlasts_the_window_ends_in_missed(school: School, simulator: Simulator, clock: ToldClock) -> None:
    post = school.post()
    school.approve(post)
    press(school)
    clock.advance(hours=3, seconds=1)
    run(school)
    lift(school)
    run(school)
    assert live(simulator) == {"x": 0, "facebook": 0}
    assert school.state(post) == PostState.MISSED
