"""A decision without its entry, an entry without its decision, and a decision that says something else than its entry."""

import pytest
from sqlalchemy import text

from approvals import ledger_records
from approvals.decisions import withdraw
from approvals.ledger_check import Verification
from approvals.tables import Decision
from tests.approvals.room import Room
from tests.fixtures.signing import SIGNER


def verified(room: Room, since: int = 1) -> Verification:
    with room.db.read() as session:
        return ledger_records.verify(session, keys=[SIGNER.public], since=since)


@pytest.fixture
def decision(room: Room) -> Decision:
    """An approval that was withdrawn; the guards of its rows are taken away afterwards."""
    made = room.approved()
    with room.db.begin() as session:
        withdraw(session, session.get_one(Decision, made.id), by_person=None, reason="Edited.", now=room.clock.now())
    assert verified(room).ok
    room.unguard()
    return made


def put_in(room: Room, statement: str) -> None:
    """Change rows past foreign keys, as somebody with all rights could."""
    with room.db.engine.connect() as connection:
        if room.db.is_sqlite:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text(statement))
        connection.commit()
    room.db.engine.dispose()


def test_words_that_were_erased_are_not_missed(room: Room, decision: Decision) -> None:
    room.run("UPDATE decision SET statement = NULL, typed_name = NULL, answers = NULL, marks = NULL, text_salt = NULL")
    room.run("UPDATE withdrawal SET reason = NULL, reason_salt = NULL")
    assert verified(room).ok
    assert decision.statement


@pytest.mark.parametrize(
    "change",
    [
        "verdict = 'refuse'", "approver_id = 3", "digest = repeat", "statement = 'I approve everything.'",
        "proof_method = 'passkey'", "version_ref = 'version:35'", "decided_at = '2026-11-22 09:00:00.000000'",
    ],
    ids=lambda change: change.split()[0],
)  # fmt: skip
def test_a_decision_that_was_changed_is_told(room: Room, decision: Decision, change: str) -> None:
    put_in(room, f"UPDATE decision SET {change.replace('repeat', repr('cd' * 32))}")
    found = verified(room)
    assert (found.ok, found.broken_at) == (False, decision.ledger_seq)
    assert found.reason == (
        f"The record of the decision in entry {decision.ledger_seq} says something else than the ledger."
    )


def test_a_withdrawal_that_was_changed_is_told(room: Room, decision: Decision) -> None:
    put_in(room, "UPDATE withdrawal SET reason = 'Another reason.'")
    found = verified(room)
    assert found.reason == (
        f"The record of the withdrawal in entry {decision.ledger_seq + 1} says something else than the ledger."
    )


def test_a_decision_that_was_taken_away_is_told(room: Room, decision: Decision) -> None:
    put_in(room, "DELETE FROM decision")
    found = verified(room)
    assert (found.broken_at, found.reason) == (
        decision.ledger_seq, f"Entry {decision.ledger_seq} holds a decision whose record is gone.",
    )  # fmt: skip
    assert found.entries == decision.ledger_seq + 1  # the chain itself is whole


def test_a_withdrawal_that_was_taken_away_is_told(room: Room, decision: Decision) -> None:
    """An approval that was withdrawn would otherwise stand again."""
    put_in(room, "DELETE FROM withdrawal")
    assert verified(room).reason == f"Entry {decision.ledger_seq + 1} holds a withdrawal whose record is gone."
    assert verified(room, since=decision.ledger_seq + 2).ok


def test_a_decision_that_was_put_in_is_told(room: Room, decision: Decision) -> None:
    columns = "subject, version_ref, digest, verdict, approver_id, proof_method, policy_version, decided_at"
    put_in(
        room,
        f"INSERT INTO decision (id, request_id, ledger_seq, {columns}) "
        f"SELECT 'forged', 'forged', 1, {columns} FROM decision",
    )
    found = verified(room)
    assert (found.ok, found.broken_at) == (False, 1)
    assert found.reason == "The decision forged is in the records, but entry 1 of the ledger is not its."
    assert [problem.entry for problem in found.records] == [1]
    assert decision.ledger_seq > 1


def test_a_row_that_cannot_be_read_is_told(room: Room, decision: Decision) -> None:
    if room.db.is_sqlite:
        put_in(room, "UPDATE decision SET decided_at = 'never', statement = CAST(x'ff00' AS TEXT), answers = '{'")
        sentence = "cannot be read."
    else:  # PostgreSQL keeps no such values
        put_in(room, "UPDATE decision SET answers = '\"words\"'")
        sentence = "says something else than the ledger."
    found = verified(room)
    assert found.broken_at == decision.ledger_seq
    assert found.reason == f"The record of the decision in entry {decision.ledger_seq} {sentence}"
