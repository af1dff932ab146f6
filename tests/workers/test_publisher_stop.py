"""The emergency stop against real publishers: one is in the middle of a call, one has claimed, the rest is due."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import emergency
from tests.workers.sending import Sending

LONGER = 60.0  # seconds, or until the test lets go: the platform has not answered when the stop is pressed


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.fixture
def sending(tmp_path: Path, simulator: Simulator) -> Iterator[Sending]:
    made = Sending(tmp_path, simulator.base_url)
    yield made
    made.end()


def test_nothing_begins_once_the_stop_is_pressed_while_one_send_is_in_flight_and_another_is_claimed(
    sending: Sending, simulator: Simulator, wait_until: Callable[..., None]
) -> None:
    simulator.stopping = let_go = threading.Event()  # ends what a platform waits for
    sending.start(2)  # they load what they need while the posts are made
    in_flight, claimed = sending.approve(1, "x"), sending.approve(2, "facebook", picture=True)
    waiting = [sending.approve(number, kind) for number, kind in enumerate(("x", "facebook", "linkedin"), 3)]
    simulator.fault("delay", host="api.twitter.com", method="POST", path="/2/tweets", text="Basket 1 ", seconds=LONGER)
    simulator.fault("delay", host="graph.facebook.com", method="POST", path="/v26.0/111/photos", seconds=LONGER)
    wait_until(lambda: sending.log.count("ready") == 2)
    sending.make_due(in_flight, claimed)
    wait_until(lambda: (sending.states()[in_flight], sending.states()[claimed]) == ("sending", "claimed"))
    sending.make_due(*waiting)
    pressed = emergency.press(sending.services, by=sending.school.head)
    at = sending.services.clock.now()
    assert pressed.being_sent == 1
    time.sleep(0.3)
    let_go.set()
    wait_until(lambda: (sending.states()[in_flight], sending.states()[claimed]) == ("published", "scheduled"))
    time.sleep(1.2)  # two turns of each publisher
    assert max(sending.begun()) < at, "an attempt began after the press"
    assert sending.states() == {in_flight: "published", claimed: "scheduled", **dict.fromkeys(waiting, "scheduled")}
    public = [post.text for kind in ("x", "facebook", "linkedin") for post in simulator.posts(kind)]
    assert len(public) == 1
    assert "Basket 1 " in public[0]
