"""What keeps a post in its place without ending it, and what ends it."""

from dataclasses import replace

import pytest

from gatekeeper.channels.base import Channel
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.posts.status import PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import publish
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import live, no_guard, run


def test_a_busy_platform_is_tried_again_later(school: School, simulator: Simulator, clock: ToldClock) -> None:
    school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    simulator.fault("status", host="api.twitter.com", method="POST", path="/2/tweets", times=1, canned="x.429")
    run(school)
    assert live(simulator)["x"] == 0
    clock.advance(minutes=20)
    run(school)
    assert live(simulator)["x"] == 1


def test_refused_keys_hold_the_channel_and_keep_the_post(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(kinds=("x",))
    (publication,) = school.approve(post)
    clock.advance(hours=1)
    simulator.fault("status", host="api.twitter.com", method="POST", path="/2/tweets", times=1, canned="x.401")
    run(school)
    clock.advance(minutes=5)
    run(school)
    assert live(simulator)["x"] == 0
    assert school.publication(publication).state == PublicationState.SCHEDULED
    with school.services.db.begin() as session:
        account = session.get_one(ChannelAccount, school.accounts["x"])
        assert account.status == "held"
        account.status = "open"
    clock.advance(minutes=5)
    run(school)
    assert live(simulator)["x"] == 1


def test_a_check_of_the_keys_delays_an_approved_post_and_does_not_end_it(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    with school.services.db.begin() as session:
        session.get_one(ChannelAccount, school.accounts["x"]).status = "new"
    run(school)
    assert live(simulator)["x"] == 0
    assert school.publication(publication).state == PublicationState.SCHEDULED
    with school.services.db.begin() as session:
        session.get_one(ChannelAccount, school.accounts["x"]).status = "open"
    clock.advance(minutes=2)
    run(school)
    assert live(simulator)["x"] == 1


def test_a_fault_before_sending_is_logged_without_its_words(
    school: School, clock: ToldClock, caplog: pytest.LogCaptureFixture
) -> None:
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)

    def broken(_account: ChannelAccount) -> Channel:
        raise RuntimeError("Wren Applethwaite, and a token: s3cret")

    services = replace(school.services, channel_for=broken)
    (claim,) = claiming.claim_due(services, owner="test")
    publish.publish(services, claim, guard=no_guard)
    assert school.publication(publication).state == PublicationState.SCHEDULED
    assert "RuntimeError" in caplog.text
    assert "Wren" not in caplog.text
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize("status", ["held", "new", "checked"])
def test_what_is_due_waits_until_the_headteacher_opens_the_channel_again(
    school: School, simulator: Simulator, clock: ToldClock, status: str
) -> None:
    """Somebody held it, and its keys were renewed: nothing of that makes an approved post fail."""
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    with school.services.db.begin() as session:
        account = session.get_one(ChannelAccount, school.accounts["x"])
        account.status, account.declared_own = status, False
    run(school)
    assert school.publication(publication).state == PublicationState.SCHEDULED
    with school.services.db.begin() as session:
        account = session.get_one(ChannelAccount, school.accounts["x"])
        account.status, account.declared_own = "open", True
    run(school)
    assert school.publication(publication).state == PublicationState.PUBLISHED
