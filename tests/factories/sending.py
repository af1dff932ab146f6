"""One publisher's turn as the tests take it, and what the simulated public then sees."""

from collections.abc import Iterator
from contextlib import contextmanager

from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import publish, reconcile
from tests.conftest import ToldClock
from tests.factories.school import School


@contextmanager
def no_guard(seconds: float) -> Iterator[None]:
    assert seconds > 0
    yield


def run(school: School) -> int:
    """One publisher taking everything that is due; returns how many it took."""
    claims = claiming.claim_due(school.services, owner="test", limit=50)
    for claim in claims:
        publish.publish(school.services, claim, guard=no_guard)
    return len(claims)


def live(simulator: Simulator) -> dict[str, int]:
    return {kind: len(simulator.posts(kind)) for kind in ("x", "facebook")}


def fault_on_create(simulator: Simulator, kind: str, mode: str) -> None:
    if kind == "x":
        simulator.fault(mode, host="api.twitter.com", method="POST", path="/2/tweets", times=1)
    else:
        simulator.fault(mode, host="graph.facebook.com", method="POST", path="/v26.0/111/feed", times=1)


def to_a_person(school: School, simulator: Simulator, clock: ToldClock, kind: str) -> None:
    fault_on_create(simulator, kind, "drop_before")
    run(school)
    for seconds in (5, 25, 90, 480):
        clock.advance(seconds=seconds)
        reconcile.reconcile(school.services)
