"""Orders for work: written with the state, claimed once, put back later, never lost."""

from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper import jobs
from gatekeeper.db.session import Database

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def _order(db: Database, subject: int = 7, at: datetime = NOW) -> None:
    with db.begin() as session:
        jobs.order(session, jobs.SCAN, subject, now=at)


def test_work_is_claimed_by_one_only(database: Database) -> None:
    _order(database)
    with database.begin() as session:
        first = jobs.claim(session, jobs.SCAN, 7, now=NOW)
    with database.begin() as session:
        second = jobs.claim(session, jobs.SCAN, 7, now=NOW)
    assert first is not None
    assert second is None


def test_an_order_that_is_rolled_back_with_its_state_leaves_no_work(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.begin() as session:
        jobs.order(session, jobs.SCAN, 7, now=NOW)
        assert 1 / 0
    with database.read() as session:
        assert jobs.due(session, "scan", now=NOW) == []


def test_work_of_a_process_that_died_is_due_again_after_its_lease(database: Database) -> None:
    _order(database)
    with database.begin() as session:
        jobs.claim(session, jobs.SCAN, 7, now=NOW)
    with database.read() as session:
        assert jobs.due(session, "scan", now=NOW + timedelta(seconds=jobs.SCAN.timeout)) == []
        assert jobs.due(session, "scan", now=LATER) == [("scan", 7)]


def test_finished_work_is_gone(database: Database) -> None:
    _order(database)
    with database.begin() as session:
        claim = jobs.claim(session, jobs.SCAN, 7, now=NOW)
        assert claim is not None
        jobs.finish(session, claim)
    with database.read() as session:
        assert jobs.due(session, "scan", now=LATER) == []


def test_work_ordered_again_while_it_ran_is_not_struck_off(database: Database) -> None:
    _order(database)
    with database.begin() as session:
        claim = jobs.claim(session, jobs.SCAN, 7, now=NOW)
    assert claim is not None
    _order(database, at=NOW + timedelta(seconds=3))
    with database.begin() as session:
        jobs.finish(session, claim)
    with database.read() as session:
        assert jobs.due(session, "scan", now=LATER) == [("scan", 7)]


def test_failed_work_waits_longer_each_time(database: Database) -> None:
    _order(database)
    at, pauses = NOW, []
    for _ in range(4):
        with database.begin() as session:
            claim = jobs.claim(session, jobs.SCAN, 7, now=at)
            assert claim is not None
            jobs.postpone(session, claim, now=at)
        with database.read() as session:
            row = session.query(jobs.Order).one()
            pauses.append((row.next_at - at).total_seconds())
            at = row.next_at
    assert pauses == [5, 10, 20, 40]


def test_queues_do_not_see_each_others_work(database: Database) -> None:
    _order(database)
    with database.read() as session:
        assert jobs.due(session, "mail", now=NOW) == []
