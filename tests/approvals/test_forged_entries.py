"""An honest entry written after a forged one does not vouch for it: each is believed by its own signature."""

import pytest

from approvals import ledger
from approvals.decisions import is_in_force, withdraw
from approvals.errors import LedgerBroken, LedgerUnsigned
from approvals.ledger_entries import entries
from approvals.signing import Ed25519Signer, make_key
from approvals.tables import Decision
from tests.approvals.room import Room

THIEF = Ed25519Signer.read(make_key())


def write(room: Room) -> None:
    with room.db.begin() as session:
        ledger.append(session, at=room.clock.now(), kind="test.written", body={})


def asked_at_the_gate(room: Room, decision: Decision) -> bool:
    with room.db.begin() as session:
        return is_in_force(session, decision.id, keep=True)


def put_in(room: Room) -> None:
    """An unsigned entry at the end, well linked, by somebody who may write into the database and holds no key of ours."""
    with room.db.begin() as session:
        last = list(entries(session))[-1]
    room.run(
        "INSERT INTO ledger (seq, at, kind, body, prev_hash, hash) "
        "SELECT seq + 1, at, 'role.changed', '{}', hash, :hash FROM ledger ORDER BY seq DESC LIMIT 1",
        hash=ledger.entry_hash(last.hash, seq=last.seq + 1, at=last.at, kind="role.changed", body="{}"),
    )


def test_nothing_is_published_on_a_forged_decision_that_honest_entries_follow(room: Room) -> None:
    decision = room.approved()
    write(room)
    assert asked_at_the_gate(room, decision)
    room.unguard()
    with room.db.begin() as session:
        (entry,) = entries(session, first=decision.ledger_seq, last=decision.ledger_seq)
    room.run(
        "UPDATE ledger SET signature = :signature WHERE seq = :seq", signature=THIEF.sign(entry.hash), seq=entry.seq
    )
    write(room)
    with pytest.raises(LedgerBroken):
        asked_at_the_gate(room, decision)


def test_an_entry_that_nobody_signed_is_not_taken_in_by_naming_the_key_again(room: Room) -> None:
    """The guards let it in where it follows well: the ledger's own rule is that nothing unsigned follows a signature."""
    room.approved()
    put_in(room)
    with pytest.raises(LedgerUnsigned):
        write(room)
    with room.db.begin() as session, pytest.raises(LedgerUnsigned):
        ledger.name_key(session, at=room.clock.now())


def test_nothing_is_written_after_an_entry_that_somebody_else_signed(room: Room) -> None:
    """Else the end of an approval could be changed into something harmless, and the next honest entry would seal that."""
    decision = room.approved()
    with room.db.begin() as session:
        withdraw(session, session.get_one(Decision, decision.id), by_person=1, reason="No.", now=room.clock.now())
    room.unguard()
    room.run("DELETE FROM withdrawal")
    with room.db.begin() as session:
        last = list(entries(session))[-1]
    forged = ledger.entry_hash(last.prev_hash, seq=last.seq, at=last.at, kind="test.written", body="{}")
    room.run(
        "UPDATE ledger SET kind = 'test.written', body = '{}', hash = :hash, signature = :signature WHERE seq = :seq",
        hash=forged,
        signature=THIEF.sign(forged),
        seq=last.seq,
    )
    with pytest.raises(LedgerUnsigned):
        write(room)
    with pytest.raises(LedgerBroken):
        asked_at_the_gate(room, decision)
