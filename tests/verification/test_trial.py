"""Trying a connection shows nobody anything: on Facebook an unpublished photo; X and LinkedIn have no private post."""

from collections.abc import Callable

import pytest

from gatekeeper.channels.base import Channel, MediaItem, Trial, Trying
from gatekeeper.channels.errors import PermissionDenied, PlatformUnavailable
from gatekeeper.channels.registry import build_channel
from gatekeeper.clock import SystemClock
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator

Draw = Callable[..., MediaItem]


def page(simulator: Simulator) -> Trying:
    channel = build_channel(simulator.credentials("facebook"), clock=SystemClock(), base_url=simulator.base_url)
    assert isinstance(channel, Trying)
    return channel


def test_only_facebook_can_be_tried_unseen(channel: Channel, kind: str) -> None:
    assert isinstance(channel, Trying) == (kind == "facebook")


def test_the_photo_is_read_back_and_removed_and_nothing_was_ever_public(simulator: Simulator, draw: Draw) -> None:
    assert page(simulator).trial(draw()) == Trial(read_back=True, removed=True)
    assert simulator.posts("facebook") == []
    assert simulator.state.pictures == {}
    assert [each["method"] for each in simulator.state.requests] == ["POST", "GET", "DELETE", "GET"]


def test_a_photo_that_cannot_be_handed_over_is_a_refusal(draw: Draw) -> None:
    config = SimulatorConfig(facebook_scopes=("pages_read_engagement",))
    with Simulator(config=config) as simulator, pytest.raises(PermissionDenied):
        page(simulator).trial(draw())


def test_what_cannot_be_read_back_is_told_and_removed_all_the_same(draw: Draw) -> None:
    config = SimulatorConfig(facebook_scopes=("pages_manage_posts",))
    with Simulator(config=config) as simulator:
        tried = page(simulator).trial(draw())
        assert tried.read_back is False
        assert simulator.state.pictures == {}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_an_outage_in_the_middle_leaves_nothing_public(simulator: Simulator, draw: Draw, method: str) -> None:
    simulator.fault("status", method=method, status=503)
    if method == "POST":
        with pytest.raises(PlatformUnavailable):
            page(simulator).trial(draw())
    else:
        assert page(simulator).trial(draw()) == Trial(read_back=True, removed=False)
    assert simulator.posts("facebook") == []
