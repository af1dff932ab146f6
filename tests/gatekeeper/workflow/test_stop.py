"""Stopping an approved post before its time."""

import pytest
from sqlalchemy import select

from gatekeeper.errors import Conflict, NotFound
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Role
from gatekeeper.posts.model import Publication
from gatekeeper.posts.status import PostState, PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import publish
from gatekeeper.workflow.stop import stop
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.gatekeeper.workflow.test_publish import live, no_guard, run


@pytest.mark.parametrize("role", [Role.AUTHOR, Role.HEADTEACHER, Role.DEPUTY])
def test_a_stopped_post_does_not_go_out(school: School, simulator: Simulator, clock: ToldClock, role: Role) -> None:
    post = school.post()
    school.approve(post)
    assert stop(school.services, post, by=school.staff[role]) is PostState.WITHDRAWN
    clock.advance(hours=1)
    assert run(school) == 0
    assert live(simulator) == {"x": 0, "facebook": 0}
    with school.services.db.read() as session:
        told = session.scalars(select(Notice).where(Notice.kind == "not_sent", Notice.staff_id == school.author)).all()
    assert bool(told) == (role is not Role.AUTHOR)


def test_what_is_public_stays_and_the_rest_is_stopped(school: School, simulator: Simulator, clock: ToldClock) -> None:
    post = school.post()
    school.approve(post)
    clock.advance(hours=1)
    (claim,) = claiming.claim_due(school.services, owner="test", limit=1)
    publish.publish(school.services, claim, guard=no_guard)
    assert stop(school.services, post, by=school.head) is PostState.PARTLY
    assert run(school) == 0
    assert sum(live(simulator).values()) == 1
    with school.services.db.read() as session:
        states = {p.state for p in session.scalars(select(Publication))}
    assert states == {PublicationState.PUBLISHED, PublicationState.CANCELLED}


def test_a_claim_taken_a_moment_before_the_stop_sends_nothing(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(kinds=("x",))
    school.approve(post)
    clock.advance(hours=1)
    (claim,) = claiming.claim_due(school.services, owner="test")
    stop(school.services, post, by=school.head)
    publish.publish(school.services, claim, guard=no_guard)
    assert live(simulator)["x"] == 0


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.CONSENT_LEAD, Role.AUDITOR, Role.LINE_MANAGER])
def test_nobody_else_stops_a_post(school: School, role: Role) -> None:
    post = school.post()
    school.approve(post)
    with pytest.raises(NotFound):
        stop(school.services, post, by=school.staff[role])
    assert school.state(post) == PostState.SCHEDULED


def test_what_is_not_waiting_for_its_time_cannot_be_stopped(school: School) -> None:
    post = school.post()
    with pytest.raises(Conflict, match="nothing to stop"):
        stop(school.services, post, by=school.author)
