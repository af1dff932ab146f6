"""An approval that has ended stays ended, whatever whoever owns the database takes away afterwards."""

import pytest

from approvals.decisions import is_in_force, withdraw
from approvals.errors import LedgerBroken
from approvals.requests import void_requests
from approvals.tables import Decision
from tests.approvals.room import Room


def asked_at_the_gate(room: Room, decision: Decision) -> bool:
    with room.db.begin() as session:
        return is_in_force(session, decision.id, keep=True)


def withdrawn(room: Room) -> Decision:
    made = room.approved()
    with room.db.begin() as session:
        withdraw(session, session.get_one(Decision, made.id), by_person=1, reason="Not any more.", now=room.clock.now())
    room.unguard()
    return made


def test_a_standing_approval_is_in_force_however_much_is_written_after_it(room: Room) -> None:
    made = room.approved()
    room.ask(subject="post:13", version_ref="version:35")
    assert asked_at_the_gate(room, made)


def test_cannot_bring_an_approval_back_by_taking_its_withdrawal_away(room: Room) -> None:
    made = withdrawn(room)
    assert not asked_at_the_gate(room, made)
    room.run("DELETE FROM withdrawal")
    with pytest.raises(LedgerBroken, match="the record of that is gone"):
        asked_at_the_gate(room, made)


@pytest.mark.parametrize("column", ["kind", "body"])
def test_cannot_hide_the_withdrawal_in_the_ledger_either(room: Room, column: str) -> None:
    made = withdrawn(room)
    room.run("DELETE FROM withdrawal")
    changed = {"kind": "'pin.locked'", "body": "replace(body, 'a', 'b')"}[column]
    room.run(f"UPDATE ledger SET {column} = {changed} WHERE kind = 'approval.withdrawn'")
    with pytest.raises(LedgerBroken, match="not whole"):
        asked_at_the_gate(room, made)


def test_cannot_take_the_withdrawal_out_of_the_middle_of_the_ledger(room: Room) -> None:
    made = withdrawn(room)
    room.ask(subject="post:13", version_ref="version:35")
    room.run("DELETE FROM withdrawal")
    room.run("DELETE FROM ledger WHERE kind = 'approval.withdrawn'")
    with pytest.raises(LedgerBroken, match="not whole"):
        asked_at_the_gate(room, made)


def test_cannot_bring_an_approval_back_by_taking_the_newer_question_away(room: Room) -> None:
    made = room.approved()
    newer = room.ask(version_ref="version:35", digest="cd" * 32)
    with room.db.begin() as session:
        void_requests(session, newer.subject, reason="It was edited.", now=room.clock.now())
    assert not asked_at_the_gate(room, made)
    room.unguard()
    room.run(f"DELETE FROM approval_request WHERE id = '{newer.id}'")
    with pytest.raises(LedgerBroken, match="the record of that is gone"):
        asked_at_the_gate(room, made)
