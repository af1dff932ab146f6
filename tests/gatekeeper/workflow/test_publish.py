"""Publishing: what was approved goes out once, and nothing else goes out at all.

The platforms are the simulator's, reached by the real tweepy and facebook-sdk over HTTP; the oracle is what the
simulator's public can see, not our tables.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import select

from approvals import ledger_check
from gatekeeper.posts.model import Photo, Publication
from gatekeeper.posts.status import PostState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import publish, reconcile
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import live, no_guard, run


def test_an_approved_post_goes_out_once_on_each_channel_at_its_time(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post(photos=2)
    school.approve(post)
    clock.advance(minutes=59, seconds=59)
    assert run(school) == 0
    assert live(simulator) == {"x": 0, "facebook": 0}
    clock.advance(seconds=1)
    assert run(school) == 2
    assert run(school) == 0
    assert live(simulator) == {"x": 1, "facebook": 1}
    assert school.state(post) == PostState.PUBLISHED
    with school.services.db.read() as session:
        for publication in session.scalars(select(Publication)):
            assert publication.remote_id
            assert publication.permalink.startswith(simulator.base_url)
        assert ledger_check.verify(session).ok


def test_the_bytes_received_are_the_bytes_decided_on(school: School, simulator: Simulator, clock: ToldClock) -> None:
    post = school.post(photos=1)
    school.approve(post)
    with school.services.db.read() as session:
        photo = session.scalars(select(Photo)).one()
    clock.advance(hours=1)
    run(school)
    for kind in ("x", "facebook"):
        (seen,) = simulator.posts(kind)
        pictures = [simulator.state.pictures[picture] for picture in seen.picture_ids]
        assert [picture.sha256 for picture in pictures] == [photo.rendition_sha256]
        assert [picture.alt for picture in pictures] == [photo.alt]
    stored = school.services.media.read(photo.rendition_sha256 or "")
    assert hashlib.sha256(stored).hexdigest() == photo.rendition_sha256


def test_a_post_past_its_window_is_missed_and_not_sent_late(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    post = school.post()
    school.approve(post)
    clock.advance(hours=3, seconds=1)
    run(school)
    assert live(simulator) == {"x": 0, "facebook": 0}
    assert school.state(post) == PostState.MISSED


def test_two_publishers_share_the_work_and_send_nothing_twice(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    school.approve(school.post())
    clock.advance(hours=1)
    first = claiming.claim_due(school.services, owner="one", limit=1)
    second = claiming.claim_due(school.services, owner="two", limit=5)
    assert {c.publication_id for c in first}.isdisjoint({c.publication_id for c in second})
    for claim in (*first, *second, *first):
        publish.publish(school.services, claim, guard=no_guard)
    assert live(simulator) == {"x": 1, "facebook": 1}


def test_a_publisher_that_lost_its_lease_cannot_send(school: School, simulator: Simulator, clock: ToldClock) -> None:
    school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    (stalled,) = claiming.claim_due(school.services, owner="stalled")
    clock.advance(seconds=61)
    reconcile.recover(school.services)
    publish.publish(school.services, stalled, guard=no_guard)
    assert live(simulator)["x"] == 0
    run(school)
    assert live(simulator)["x"] == 1


def test_a_publisher_frozen_before_its_timer_runs_cannot_send_late(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    (frozen,) = claiming.claim_due(school.services, owner="frozen")

    @contextmanager
    def armed_long_after(_seconds: float) -> Iterator[None]:
        clock.advance(minutes=4)  # SIGSTOP between reading the clock and arming the timer
        yield

    publish.publish(school.services, frozen, guard=armed_long_after)
    assert live(simulator)["x"] == 0
    clock.advance(minutes=1)
    run(school)
    assert live(simulator)["x"] == 1
