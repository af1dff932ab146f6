"""How long the machine waits: a slow line keeps its lease, and only a complete listing allows a second try, late enough."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from gatekeeper.channels.base import Channel, MediaHandle, NotFound
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.posts.status import PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import publish, reconcile
from gatekeeper.workflow.services import Services
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import fault_on_create, live, no_guard, run


class Altered:
    """A real channel of which one thing is different."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def __getattr__(self, name: str) -> Any:
        return getattr(self.channel, name)


def with_channel(services: Services, altered: Any) -> Services:
    build = services.channel_for
    assert build is not None

    def channel_for(account: ChannelAccount) -> Channel:
        made: Channel = altered(build(account))
        return made

    return replace(services, channel_for=channel_for)


def test_four_pictures_on_a_slow_line_go_out_in_one_try(school: School, simulator: Simulator, clock: ToldClock) -> None:
    class Slow(Altered):
        def upload_media(self, *words: Any, **names: Any) -> MediaHandle:
            handle = self.channel.upload_media(*words, **names)
            clock.advance(seconds=18)
            return handle

    (publication,) = school.approve(school.post(photos=4, kinds=("x",)))
    clock.advance(hours=1)
    services = with_channel(school.services, Slow)
    (claim,) = claiming.claim_due(services, owner="test")
    publish.publish(services, claim, guard=no_guard)
    assert school.publication(publication).state == PublicationState.PUBLISHED
    assert school.publication(publication).fence == 1
    assert live(simulator)["x"] == 1


def test_absence_from_a_complete_listing_allows_a_second_try_when_the_platform_has_surely_ended(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    class Complete(Altered):
        def find_post(self, *words: Any, **names: Any) -> Any:
            answer = self.channel.find_post(*words, **names)
            return NotFound(complete=True) if isinstance(answer, NotFound) else answer

    (publication,) = school.approve(school.post(kinds=("facebook",)))
    clock.advance(hours=1)
    fault_on_create(simulator, "facebook", "drop_before")
    run(school)
    services = with_channel(school.services, Complete)
    for _ in range(17):  # 170 s; the lease and the time to settle end after 180
        clock.advance(seconds=10)
        reconcile.reconcile(services)
        assert school.publication(publication).state == PublicationState.UNKNOWN
    for _ in range(8):
        clock.advance(seconds=10)
        reconcile.reconcile(services)
    assert school.publication(publication).state == PublicationState.SCHEDULED
    run(school)
    assert live(simulator)["facebook"] == 1


def test_after_a_crash_four_looks_are_four_looks_and_not_one(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    """The first moments for looking are past when a dead process's post is taken over; a platform lists late."""
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    fault_on_create(simulator, "x", "drop_before")
    (claim,) = claiming.claim_due(school.services, owner="dies")
    with pytest.raises(KeyboardInterrupt):
        publish.publish(school.services, claim, guard=killed)
    clock.advance(seconds=181)
    reconcile.recover(school.services)
    assert [reconcile.reconcile(school.services) for _ in range(4)] == [1, 0, 0, 0]
    assert school.publication(publication).state == PublicationState.UNKNOWN


@contextmanager
def killed(_seconds: float) -> Iterator[None]:
    raise KeyboardInterrupt  # nothing in the program catches it, as nothing catches SIGKILL
    yield
