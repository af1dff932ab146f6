"""The safety net: it finds what was lost, and holds nobody up where there is nothing to find."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, select

from gatekeeper import jobs
from gatekeeper.db.session import Database
from gatekeeper.mail.model import Notice
from gatekeeper.workflow import digest, notify, sweep
from tests.conftest import ToldClock
from tests.factories.school import School, make_services


@pytest.fixture
def school(sqlite_database: Database, tmp_path: Path, clock: ToldClock) -> School:
    return School(make_services(sqlite_database, tmp_path, clock))


def test_a_round_with_nothing_to_do_takes_no_writers_place(school: School, clock: ToldClock) -> None:
    """Somebody who decides must never wait for a timer."""
    for hours in (30, 31):
        school.ask(school.post(due_in=timedelta(hours=hours)))  # two wait, and no reminder is due
    sweep.run(school.services)
    clock.advance(minutes=1)
    taken: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "BEGIN;", "PRAGMA")) and statement != "BEGIN":
            taken.append(statement)

    event.listen(school.services.db.engine, "before_cursor_execute", note)
    sweep.run(school.services)
    event.remove(school.services.db.engine, "before_cursor_execute", note)
    assert taken == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"problem": "The mail server could not be reached."}, True),
        ({"problem": digest.HELD}, False),
        ({"failed": True, "problem": "It is refused."}, False),
        ({"sent": True}, False),
    ],
    ids=["new", "being-tried", "held-back", "given-up", "sent"],
)
def test_an_e_mail_whose_order_was_lost_is_ordered_again_if_it_still_has_to_go(
    school: School, clock: ToldClock, changes: dict[str, Any], found: bool
) -> None:
    now = clock.now()
    with school.services.step() as session:
        notice = notify.tell(session, "decided", staff_id=school.author, subject="x", context={}, now=now)
        notice.problem = changes.get("problem", "")
        notice.failed_at = now if changes.get("failed") else None
        notice.sent_at = now if changes.get("sent") else None
        notice_id = notice.id
        session.execute(delete(jobs.Order))
    sweep.run(school.services)
    with school.services.db.read() as session:
        assert session.get_one(Notice, notice_id).kind == "decided"
        ordered = session.scalars(select(jobs.Order.subject_id).where(jobs.Order.job == "notify")).all()
    assert (notice_id in ordered) is found
