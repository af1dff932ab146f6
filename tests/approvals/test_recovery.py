"""Leave to choose a second proof anew: it waits, it can be stopped, it serves once, and no clock shortens it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from approvals import passkeys, proofs, recovery
from approvals.errors import RecoveryRefused
from approvals.proofs import PinOutcome
from approvals.tables import LedgerEntry, ProofRecovery
from tests.approvals.room import HEAD, PIN, Room
from tests.approvals.test_passkeys import enrolled

OFFICE = 9
WHY = "Ruth lost her telephone on the coach."


def ask(room: Room, *, person: int = HEAD, by: int = OFFICE, reason: str = WHY) -> ProofRecovery:
    with room.db.begin() as session:
        return recovery.ask(session, person_id=person, asked_by=by, reason=reason, now=room.clock.now())


def use(room: Room) -> None:
    with room.db.begin() as session:
        recovery.use(session, HEAD, now=room.clock.now())


def kinds(room: Room) -> list[str]:
    with room.db.read() as session:
        return [
            kind for kind in session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.seq)) if "recovery" in kind
        ]


def test_it_waits_a_day_and_serves_for_a_week(room: Room) -> None:
    room.give_pin()
    asked = ask(room)
    start = room.clock.now()
    for passed, usable in (
        (timedelta(0), False),
        (timedelta(hours=24) - timedelta(seconds=1), False),
        (timedelta(hours=24), True),
        (timedelta(days=8) - timedelta(seconds=1), True),
        (timedelta(days=8), False),
        (timedelta(hours=-1), False),
    ):
        assert recovery.is_usable(asked, now=start + passed) is usable
    assert not recovery.is_usable(None, now=start)


def test_using_it_ends_the_old_pin_every_passkey_and_every_proof(room: Room) -> None:
    secret = room.proved(room.ask())
    enrolled(room)
    ask(room)
    room.clock.advance(hours=24)
    use(room)
    with room.db.read() as session:
        assert not proofs.has_pin(session, HEAD)
        assert passkeys.standing(session, HEAD) == []
        assert passkeys.had_one(session, HEAD)
        assert room.rows()["approval_view"] == 0
        assert secret
    assert kinds(room) == ["recovery.asked", "recovery.used"]


def test_cannot_be_used_early_late_twice_or_without_asking(room: Room) -> None:
    room.give_pin()
    with pytest.raises(RecoveryRefused):
        use(room)
    ask(room)
    with pytest.raises(RecoveryRefused):
        use(room)
    room.clock.advance(hours=25)
    use(room)
    with pytest.raises(RecoveryRefused):
        use(room)
    room.give_pin()
    ask(room)
    room.clock.advance(days=8, hours=1)
    with pytest.raises(RecoveryRefused):
        use(room)
    with room.db.begin() as session:
        assert proofs.check_pin(session, HEAD, PIN, now=room.clock.now()).outcome is PinOutcome.RIGHT


def test_cannot_be_asked_by_the_person_without_a_reason_twice_or_without_need(room: Room) -> None:
    with pytest.raises(RecoveryRefused, match="never had a PIN"):
        ask(room)
    room.give_pin()
    with pytest.raises(RecoveryRefused, match="for themselves"):
        ask(room, by=HEAD)
    with pytest.raises(RecoveryRefused, match="in a sentence why"):
        ask(room, reason="  lost       it ")
    ask(room)
    with pytest.raises(RecoveryRefused, match="asked already"):
        ask(room)


def test_whoever_may_stops_it_once(room: Room) -> None:
    room.give_pin()
    asked = ask(room)
    for refused in (False, True):
        with room.db.begin() as session:
            row = session.get_one(ProofRecovery, asked.id)
            if refused:
                with pytest.raises(RecoveryRefused, match="settled already"):
                    recovery.stop(session, row, by_person=HEAD, now=room.clock.now())
            else:
                recovery.stop(session, row, by_person=HEAD, now=room.clock.now())
    room.clock.advance(hours=25)
    with pytest.raises(RecoveryRefused):
        use(room)
    assert kinds(room) == ["recovery.asked", "recovery.stopped"]
    ask(room)  # and it can be asked anew


def test_a_change_of_the_account_ends_it(room: Room) -> None:
    room.give_pin()
    asked = ask(room)
    with room.db.begin() as session:
        recovery.stop_for(session, HEAD, by_person=None, now=room.clock.now())
        recovery.stop_for(session, HEAD, by_person=OFFICE, now=room.clock.now())
    with room.db.read() as session:
        assert session.get_one(ProofRecovery, asked.id).stopped_by == recovery.NOBODY
    assert kinds(room) == ["recovery.asked", "recovery.stopped"]


def test_a_clock_set_back_while_it_is_asked_does_not_shorten_the_wait(room: Room) -> None:
    room.give_pin()
    true_time = room.clock.now()
    room.clock.advance(days=-3)
    asked = ask(room)
    assert asked.effective_at == true_time + timedelta(hours=24)
    room.clock.advance(days=3)
    with pytest.raises(RecoveryRefused):
        use(room)


def test_a_clock_set_back_brings_no_lapsed_one_to_life(room: Room) -> None:
    room.give_pin()
    ask(room)
    room.clock.advance(days=9)
    with room.db.begin() as session:
        assert recovery.close_lapsed(session, room.clock.now()) == 1
        assert recovery.close_lapsed(session, room.clock.now()) == 0
    room.clock.advance(days=-7)
    with pytest.raises(RecoveryRefused):
        use(room)
    assert kinds(room) == ["recovery.asked", "recovery.stopped"]


def test_a_lapsed_one_stands_in_nobodys_way(room: Room) -> None:
    room.give_pin()
    ask(room)
    room.clock.advance(days=9)
    ask(room)
    assert kinds(room) == ["recovery.asked", "recovery.stopped", "recovery.asked"]
