"""A publisher that has just sent one post believes nothing of it for the next: what was changed meanwhile is refused."""

from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from approvals import deputies, ledger, proofs
from approvals.tables import drop_triggers
from gatekeeper.db.session import Database
from gatekeeper.people.staff import Role
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import crash_points, publish
from tests.conftest import ToldClock
from tests.factories.school import PIN, School
from tests.factories.sending import live, no_guard

#: of the second post: its publication's, version's and decision's rows, and the decision's entry
_P = "(SELECT max(id) FROM publication)"
_V = f"(SELECT version_id FROM publication WHERE id = {_P})"
_D = f"(SELECT decision_id FROM publication WHERE id = {_P})"
_SEQ = f"(SELECT ledger_seq FROM decision WHERE id = {_D})"
_ROLE = "(SELECT min(seq) FROM ledger WHERE kind = 'role.changed')"
_NAMED = "(SELECT min(seq) FROM ledger WHERE kind = 'deputy.named')"
_ANOTHER_SIGNATURE = "SET signature = (SELECT signature FROM ledger WHERE seq = 1)"
_ZEROS = "0" * 64

TAMPERING = {
    "decision digest": f"UPDATE decision SET digest = '{_ZEROS}' WHERE id = {_D}",
    "decision verdict": f"UPDATE decision SET verdict = 'refuse' WHERE id = {_D}",
    "decision approver": f"UPDATE decision SET approver_id = 1 + approver_id WHERE id = {_D}",
    "decision words": f"UPDATE decision SET statement = 'Anything goes' WHERE id = {_D}",
    "decision appointment": f"UPDATE decision SET appointment_id = NULL WHERE id = {_D}",
    "decision entry": f"UPDATE decision SET ledger_seq = ledger_seq + 1 WHERE id = {_D}",
    "entry body": f"UPDATE ledger SET body = replace(body, 'approve', 'refused') WHERE seq = {_SEQ}",
    "entry hash": f"UPDATE ledger SET hash = '{_ZEROS}' WHERE seq = {_SEQ}",
    "entry link": f"UPDATE ledger SET prev_hash = '{_ZEROS}' WHERE seq = {_SEQ}",
    "entry signature": f"UPDATE ledger {_ANOTHER_SIGNATURE} WHERE seq = {_SEQ}",
    "entry unsigned": f"UPDATE ledger SET key_id = NULL, signature = NULL WHERE seq = {_SEQ}",
    "role body": f"UPDATE ledger SET body = replace(body, 'headteacher', 'author') WHERE seq = {_ROLE}",
    "role signature": f"UPDATE ledger {_ANOTHER_SIGNATURE} WHERE seq = {_ROLE}",
    "appointment end": "UPDATE deputy_appointment SET ends_at = '2030-01-01 00:00:00.000000'",
    "appointment deputy": "UPDATE deputy_appointment SET deputy_id = deputy_id + 3",
    "appointment head": "UPDATE deputy_appointment SET head_id = (SELECT author_id FROM post LIMIT 1)",
    "appointment entry": f"UPDATE ledger {_ANOTHER_SIGNATURE} WHERE seq = {_NAMED}",
    "version text": f"UPDATE version SET canonical = replace(canonical, 'part', 'past') WHERE id = {_V}",
    "version digest": f"UPDATE version SET digest = '{_ZEROS}' WHERE id = {_V}",
    "publication digest": f"UPDATE publication SET digest = '{_ZEROS}' WHERE id = {_P}",
    "account": "UPDATE channel_account SET remote_id = '4' || remote_id",
    "account not own": "UPDATE channel_account SET declared_own = false",
    "account closed": "UPDATE channel_account SET status = 'closed'",
    "author": "UPDATE post SET author_id = (SELECT approver_id FROM decision LIMIT 1)",
}


def _guards_off(session: Session) -> None:
    """As whoever owns the database would."""
    for statement in (*drop_triggers("sqlite"), "DROP TRIGGER version_update", "DROP TRIGGER publication_update"):
        session.execute(text(statement))


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Of one kind: what is asked here is asked of both with the same statements."""
    return sqlite_database


@pytest.fixture
def two(school: School, clock: ToldClock) -> list[int]:
    """Two posts that the deputy approved under an appointment; the ledger says who the headteacher is."""
    deputy = school.staff[Role.DEPUTY]
    with school.services.db.begin() as session:
        body = {"person": school.head, "by": None, "from": "", "to": str(Role.HEADTEACHER)}
        ledger.append(session, at=clock.now(), kind="role.changed", body=body)
        proofs.set_pin(session, deputy, PIN, now=clock.now())
        deputies.name(
            session, head_id=school.head, deputy_id=deputy, starts_at=clock.now(),
            ends_at=clock.now() + timedelta(days=1), reason="I am at a conference in Leeds.", proof_method="pin",
            now=clock.now(),
        )  # fmt: skip
    school.staff[Role.HEADTEACHER] = deputy
    found = [school.approve(school.post(kinds=("x",), text=f"Harvest, part {n}"))[0] for n in range(2)]
    with school.services.db.begin() as session:
        ledger.append(session, at=clock.now(), kind="test.written", body={})  # the last entry is an honest one
        _guards_off(session)
    clock.advance(hours=1)
    return found


@pytest.mark.parametrize("what", TAMPERING)
def test_what_is_tampered_with_between_two_sends_is_refused(
    school: School, simulator: Simulator, two: list[int], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def told(reached: str, about: int) -> None:
        if (reached, about) == ("C5", two[0]):  # its answer is there, and the second is claimed already
            with school.services.db.begin() as session:
                assert cast("Any", session.execute(text(TAMPERING[what]))).rowcount

    monkeypatch.setattr(crash_points, "_listeners", [told])
    claims = claiming.claim_due(school.services, owner="test")
    publish.publish_all(school.services, claims, guard=no_guard)
    assert live(simulator)["x"] == 1
    assert [school.publication(one).state for one in two] == [S.PUBLISHED, S.FAILED]


def test_what_nobody_touched_goes_out(school: School, simulator: Simulator, two: list[int]) -> None:
    publish.publish_all(school.services, claiming.claim_due(school.services, owner="test"), guard=no_guard)
    assert live(simulator)["x"] == len(two)
