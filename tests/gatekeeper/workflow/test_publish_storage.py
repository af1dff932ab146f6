"""A disk that is full, a database that is read-only or locked: nothing is sent that could not be written down first."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from gatekeeper.db.session import Database
from gatekeeper.posts.status import PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import publish, reconcile
from tests.conftest import ToldClock
from tests.factories.school import School, make_services
from tests.factories.sending import live, no_guard, run
from workers.publish import Stopping, keep_publishing


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock, simulator: Simulator) -> School:
    return School(make_services(sqlite_database, tmp_path, clock, simulator=simulator))


@contextmanager
def read_only(database: Database) -> Iterator[None]:
    """As on a disk that the system has made read-only after a fault."""
    with _each_connection(database, "PRAGMA query_only = ON", "PRAGMA query_only = OFF"):
        yield


@contextmanager
def full(database: Database) -> Iterator[None]:
    """No page can be added any more, and those that are there are filled to the brim."""
    path = database.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as filler:
        filler.execute("CREATE TABLE IF NOT EXISTS filler(words TEXT)")
        (pages,) = filler.execute("PRAGMA page_count").fetchone()
    with _each_connection(database, f"PRAGMA max_page_count = {pages}", "PRAGMA max_page_count = 1000000"):
        yield


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Somebody else writes and does not come to an end."""
    path = database.url.removeprefix("sqlite:///")
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        _each_connection(database, "PRAGMA busy_timeout = 50", "PRAGMA busy_timeout = 30000"),
    ):
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def _each_connection(database: Database, before: str, after: str) -> Iterator[None]:
    statement = before

    def told(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute(statement)

    event.listen(database.engine, "checkout", told)
    yield
    statement = after
    with database.engine.connect():
        pass
    event.remove(database.engine, "checkout", told)


@pytest.mark.parametrize("trouble", [read_only, locked], ids=["read-only", "locked"])
def test_what_cannot_be_written_down_first_is_not_sent(
    school: School, simulator: Simulator, clock: ToldClock, trouble: Any
) -> None:
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    (claim,) = claiming.claim_due(school.services, owner="test")
    with trouble(school.services.db), pytest.raises(OperationalError):
        publish.publish(school.services, claim, guard=no_guard)
    assert live(simulator)["x"] == 0
    clock.advance(seconds=61)
    reconcile.recover(school.services)
    assert school.publication(publication).state == PublicationState.SCHEDULED
    assert run(school) == 1
    assert live(simulator)["x"] == 1


@pytest.mark.parametrize("trouble", [read_only, locked], ids=["read-only", "locked"])
def test_what_was_sent_and_could_not_be_written_down_is_found_and_not_sent_again(
    school: School, simulator: Simulator, clock: ToldClock, trouble: Any
) -> None:
    (publication,) = school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    (claim,) = claiming.claim_due(school.services, owner="test")
    stands = trouble(school.services.db)

    @contextmanager
    def from_now_on(_seconds: float) -> Iterator[None]:
        yield
        stands.__enter__()

    with pytest.raises(OperationalError):
        publish.publish(school.services, claim, guard=from_now_on)
    stands.__exit__(None, None, None)
    assert live(simulator)["x"] == 1
    assert school.publication(publication).state == PublicationState.SENDING
    clock.advance(seconds=60 + 121)
    reconcile.recover(school.services)
    reconcile.reconcile(school.services)
    assert run(school) == 0
    assert school.publication(publication).state == PublicationState.PUBLISHED
    assert live(simulator)["x"] == 1


def test_on_a_full_disk_nothing_is_lost_and_nothing_goes_out_twice(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    publications = [school.approve(school.post(kinds=("x",), text=f"Harvest, part {n}"))[0] for n in range(12)]
    clock.advance(hours=1)
    stopped = 0
    with full(school.services.db):
        for _ in publications:
            try:
                run_one(school)
            except OperationalError:
                stopped += 1
    assert stopped, "the disk was never full, so this shows nothing"
    for _ in range(6):
        clock.advance(minutes=4)
        reconcile.recover(school.services)
        reconcile.reconcile(school.services)
        run(school)
    assert {school.publication(one).state for one in publications} == {PublicationState.PUBLISHED}
    assert live(simulator)["x"] == len(publications)


def test_the_publisher_says_in_a_sentence_what_is_the_matter_and_goes_on(
    school: School, clock: ToldClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.approve(school.post(kinds=("x",)))
    clock.advance(hours=1)
    stopping = Stopping()

    def stop_at_the_first(_seconds: float) -> None:
        stopping._event.set()

    monkeypatch.setattr(stopping, "pause", stop_at_the_first)
    with read_only(school.services.db), caplog.at_level(logging.CRITICAL):
        keep_publishing(school.services, stopping)
    assert "Nothing is sent until the database can be written again" in caplog.text
    assert "Harvest" not in caplog.text


def run_one(school: School) -> None:
    for claim in claiming.claim_due(school.services, owner="test", limit=1):
        publish.publish(school.services, claim, guard=no_guard)
