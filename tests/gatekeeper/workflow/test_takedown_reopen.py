"""A removal that was said to have ended goes on when its post is read on the platform after all."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from approvals import ledger_check
from approvals.tables import LedgerEntry
from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.people.staff import Role
from gatekeeper.posts.public import RemotePublicPost, Takedown, TakedownState
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import incident_act, incident_close, takedown_act, takedown_removal
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.watching import (
    begin,
    deleted,
    edited,
    found,
    incidents,
    mails,
    outside,
    published,
    read,
    removed,
    row_of,
    watched_school,
)

ALL = ("x", "facebook", "linkedin")
BY_MISTAKE = "I removed it there."


@pytest.fixture
def simulator(clock: ToldClock) -> Iterator[Simulator]:
    with Simulator(config=SimulatorConfig(clock=clock, refuse_duplicates=False)) as running:
        yield running


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    return watched_school(sqlite_database, tmp_path, clock, simulator)


def take_down(school: School, remote_id: str) -> int:
    """Ordered, and given to a person who says at once that it is done."""
    row = row_of(school, remote_id)
    assert row is not None
    if row.publication_id:
        number = takedown_act.order(
            school.services, row.publication_id, why="mistake", words="The wrong picture", by=school.head
        )
    else:
        number = incident_act.take_down(school.services, incidents(school)[0].id, by=school.head, words="")
    with school.services.db.begin() as session:
        claim = jobs.claim(session, jobs.TAKEDOWN, number, now=school.services.clock.now())
        assert claim
        jobs.finish(session, claim)
    takedown_removal.give_up(school.services, number, "")
    takedown_removal.confirm_by_hand(school.services, number, words=BY_MISTAKE, by=school.head)
    assert removal(school, number).state == TakedownState.GONE
    return number


def removal(school: School, number: int) -> Takedown:
    with school.services.db.read() as session:
        return session.get_one(Takedown, number)


@pytest.mark.parametrize("kind", ALL)
def test_our_post_that_is_still_public_is_taken_down_after_all(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    begin(school, kind)
    remote_id = published(school, simulator, clock, kind)
    read(school, clock, kind)
    number = take_down(school, remote_id)
    read(school, clock, kind, minutes=60)
    assert removal(school, number).state == TakedownState.ORDERED
    assert "after it was said to be gone" in removal(school, number).problem
    told = mails(school, "takedown_still_there")
    assert {one.staff_id for one in told} == {school.head, school.staff[Role.ADMINISTRATOR]}
    removed(school.services, number)
    assert simulator.posts(kind) == []
    assert removal(school, number).state == TakedownState.GONE
    with school.services.db.read() as session:
        assert ledger_check.verify(session).ok
        ours = select(LedgerEntry.kind).where(LedgerEntry.kind.startswith("takedown.")).order_by(LedgerEntry.seq)
        kinds = session.scalars(ours).all()
    assert kinds == ["takedown.ordered", "takedown.confirmed", "takedown.reopened", "takedown.confirmed"]


@pytest.mark.parametrize("kind", ALL)
def test_a_post_around_the_gate_that_is_still_public_is_taken_down_after_all(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    begin(school, kind)
    clock.advance(minutes=1)
    remote_id = outside(simulator, kind, "Around the gate")
    read(school, clock, kind)
    number = take_down(school, remote_id)
    read(school, clock, kind, minutes=60)
    assert removal(school, number).state == TakedownState.ORDERED
    removed(school.services, number)
    (one,) = read(school, clock, kind, minutes=60)
    assert simulator.posts(kind) == []
    assert one.outcome == incident_close.TAKEN_DOWN


@pytest.mark.parametrize("kind", ALL)
def test_what_a_person_removed_is_asked_for_until_the_platform_says_so_and_no_longer(
    school: School, simulator: Simulator, clock: ToldClock, kind: str
) -> None:
    begin(school, kind)
    remote_id = published(school, simulator, clock, kind)
    read(school, clock, kind)
    number = take_down(school, remote_id)
    deleted(simulator, remote_id)
    for _ in range(2):
        read(school, clock, kind, minutes=60)
    row = row_of(school, remote_id)
    assert row is not None
    assert row.gone_at == clock.now()
    asked = len(simulator.requests("GET"))
    read(school, clock, kind, minutes=60)
    by_number = [one for one in simulator.requests("GET")[asked:] if remote_id in str(one)]
    assert by_number == []
    assert removal(school, number).state == TakedownState.GONE
    assert found(school) == []
    assert mails(school, "takedown_still_there") == []


def test_a_list_that_lags_reopens_nothing(school: School, simulator: Simulator, clock: ToldClock) -> None:
    begin(school, "facebook")
    remote_id = published(school, simulator, clock, "facebook")
    read(school, clock, "facebook")
    number = take_down(school, remote_id)
    read(school, clock, "facebook", minutes=5)
    assert removal(school, number).state == TakedownState.GONE


def test_what_is_changed_after_that_ends_with_no_removal_of_before(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    begin(school, "facebook")
    remote_id = published(school, simulator, clock, "facebook")
    read(school, clock, "facebook")
    take_down(school, remote_id)
    clock.advance(days=2)
    edited(simulator, remote_id, "Now with something else")
    (one,) = read(school, clock, "facebook")
    assert (one.kind, one.closed_at) == ("edited", None)


def test_no_second_removal_of_the_same_post_is_reopened(school: School, simulator: Simulator, clock: ToldClock) -> None:
    begin(school, "facebook")
    remote_id = published(school, simulator, clock, "facebook")
    read(school, clock, "facebook")
    first, second = (take_down(school, remote_id) for _ in range(2))
    clock.advance(hours=1)
    read(school, clock, "facebook")
    assert [removal(school, number).state for number in (first, second)] == [
        TakedownState.GONE, TakedownState.ORDERED,
    ]  # fmt: skip
    with school.services.db.read() as session:
        assert session.scalars(select(RemotePublicPost.gone_at)).one() is None
    assert clock.now() - removal(school, second).next_at < timedelta(seconds=1)
