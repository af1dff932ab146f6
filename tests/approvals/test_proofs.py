import time
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from approvals.errors import LinkExpired, LinkUnknown, PinUnusable, ProofLocked, ProofMissing, ProofWrong
from approvals.ledger import KEY_NAMED
from approvals.proofs import PinCheck, PinOutcome, check_pin, has_pin, remove_pin, set_pin, try_unlock
from approvals.tables import ApproverPin, LedgerEntry
from approvals.tokens import view
from tests.approvals.room import DEPUTY, HEAD, PIN, WRONG_PIN, Room


def try_pin(room: Room, pin: str, person: int = HEAD) -> PinCheck:
    with room.db.begin() as session:
        return check_pin(session, person, pin, now=room.clock.now())


def kinds(room: Room) -> list[str]:
    with room.db.read() as session:
        return list(
            session.scalars(select(LedgerEntry.kind).where(LedgerEntry.kind != KEY_NAMED).order_by(LedgerEntry.seq))
        )


@pytest.mark.parametrize(
    "pin",
    [
        "000000", "777777", "123456", "654321", "012345", "567890", "987654", "210987",
        "121212", "123123", "112233", "159753",
        "", "12345", "1234567", "12a456", "１２４６８３", "48291.",
    ],
)  # fmt: skip
def test_cannot_choose_an_unusable_pin(room: Room, pin: str) -> None:
    with room.db.begin() as session, pytest.raises(PinUnusable):
        set_pin(session, HEAD, pin, now=room.clock.now())
    assert room.rows()["approver_pin"] == 0


def test_a_pin_is_kept_as_argon2id_at_full_strength(room: Room, full_strength: None) -> None:
    room.give_pin()
    with room.db.read() as session:
        stored = session.get_one(ApproverPin, HEAD).pin_hash
        assert has_pin(session, HEAD)
        assert not has_pin(session, DEPUTY)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,")
    assert PIN not in str(room.everything())
    assert try_pin(room, PIN).ok


def test_spaces_in_a_pin_do_not_matter(room: Room) -> None:
    room.give_pin(pin="482 915")
    check = try_pin(room, " 482915 ")
    check.demand()
    assert check.ok


def test_the_fifth_wrong_try_locks_and_the_right_pin_no_longer_helps(room: Room) -> None:
    room.give_pin()
    outcomes = [try_pin(room, WRONG_PIN) for _ in range(5)]
    assert [check.tries_left for check in outcomes] == [4, 3, 2, 1, 0]
    assert [check.locked_now for check in outcomes] == [False, False, False, False, True]
    after = try_pin(room, PIN)
    assert (after.outcome, after.locked_now) == (PinOutcome.LOCKED, False)
    with pytest.raises(ProofLocked):
        after.demand()
    assert kinds(room) == ["pin.set", "pin.locked"]


def test_the_lock_survives_time_and_a_restart(room: Room) -> None:
    room.give_pin()
    for _ in range(5):
        try_pin(room, WRONG_PIN)
    room.db.engine.dispose()
    room.clock.advance(days=365)
    assert try_pin(room, PIN).outcome is PinOutcome.LOCKED


def test_five_failures_are_a_lock_even_where_nobody_noted_it(room: Room) -> None:
    room.give_pin()
    room.run("UPDATE approver_pin SET failures = 5, locked_at = NULL")
    assert try_pin(room, PIN).outcome is PinOutcome.LOCKED
    assert try_pin(room, "").outcome is PinOutcome.LOCKED


def test_a_right_pin_gives_all_tries_back(room: Room) -> None:
    room.give_pin()
    for _ in range(4):
        try_pin(room, WRONG_PIN)
    assert try_pin(room, PIN).ok
    assert try_pin(room, WRONG_PIN).tries_left == 4


def test_the_count_stands_when_the_caller_commits_before_it_refuses(room: Room) -> None:
    room.give_pin()
    for left in (4, 3):
        with pytest.raises(ProofWrong, match=f"You have {left} tries left") as refused:
            try_pin(room, WRONG_PIN).demand()
        assert refused.value.tries_left == left


def test_what_cannot_be_a_pin_costs_no_try(room: Room) -> None:
    room.give_pin()
    for _ in range(10):
        check = try_pin(room, "48291")
        assert (check.outcome, check.tries_left) == (PinOutcome.MALFORMED, 5)
    with pytest.raises(ProofWrong, match=r"A PIN has six digits\. You have 5 tries left\."):
        check.demand()


def test_what_cannot_be_a_pin_does_not_pass_a_lock(room: Room) -> None:
    room.give_pin()
    for _ in range(5):
        try_pin(room, WRONG_PIN)
    assert try_pin(room, "").outcome is PinOutcome.LOCKED


def test_a_person_without_a_pin_is_told_to_set_one(room: Room) -> None:
    for pin in (PIN, ""):
        with pytest.raises(ProofMissing, match="You have no PIN here"):
            try_pin(room, pin).demand()


def test_a_spoilt_hash_lets_nobody_in(room: Room) -> None:
    room.give_pin()
    room.run("UPDATE approver_pin SET pin_hash = 'spoilt'")
    assert try_pin(room, PIN).outcome is PinOutcome.WRONG


def lock(room: Room) -> None:
    room.give_pin()
    for _ in range(5):
        try_pin(room, WRONG_PIN)


def unlocking(room: Room, pin: str) -> PinCheck:
    with room.db.begin() as session:
        return try_unlock(session, HEAD, pin, now=room.clock.now())


def test_the_right_pin_behind_the_password_unlocks_it(room: Room) -> None:
    lock(room)
    assert unlocking(room, WRONG_PIN).tries_left == 4
    assert unlocking(room, PIN).ok
    assert try_pin(room, WRONG_PIN).tries_left == 4
    with room.db.read() as session:
        last = session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq.desc())).first()
        assert last is not None
        assert (last.kind, last.body) == ("pin.unlocked", '{"by":1,"person":1}')


def test_five_wrong_tries_behind_the_password_close_that_way_too(room: Room) -> None:
    lock(room)
    outcomes = [unlocking(room, WRONG_PIN) for _ in range(5)]
    assert [(check.tries_left, check.locked_now) for check in outcomes] == [
        (4, False), (3, False), (2, False), (1, False), (0, True),
    ]  # fmt: skip
    assert unlocking(room, PIN).outcome is PinOutcome.LOCKED
    assert try_pin(room, PIN).outcome is PinOutcome.LOCKED
    assert kinds(room)[-2:] == ["pin.locked", "pin.unlock_failed"]


def test_what_cannot_be_a_pin_costs_no_try_behind_the_password_either(room: Room) -> None:
    lock(room)
    assert (unlocking(room, "48").outcome, unlocking(room, "48").tries_left) == (PinOutcome.MALFORMED, 5)


def test_unlocking_a_pin_that_is_open_tries_nothing(room: Room) -> None:
    """Or it would be a second way to guess, beside the five tries."""
    assert unlocking(room, PIN).outcome is PinOutcome.UNSET
    room.give_pin()
    for _ in range(9):
        assert unlocking(room, WRONG_PIN).ok
    assert try_pin(room, WRONG_PIN).tries_left == 4


def test_a_removed_pin_opens_nothing_and_ends_its_proofs(room: Room) -> None:
    secret = room.proved(room.ask())
    with room.db.begin() as session:
        assert remove_pin(session, HEAD, by_person=HEAD, now=room.clock.now())
        assert not remove_pin(session, HEAD, by_person=HEAD, now=room.clock.now())
    assert try_pin(room, PIN).outcome is PinOutcome.UNSET
    with room.db.read() as session, pytest.raises(LinkUnknown):
        view(session, secret, now=room.clock.now())


def test_a_new_pin_ends_the_old_one_its_lock_and_its_proofs(room: Room) -> None:
    secret = room.proved(room.ask())
    for _ in range(5):
        try_pin(room, WRONG_PIN)
    room.give_pin(pin="905177")
    assert try_pin(room, PIN).outcome is PinOutcome.WRONG
    assert try_pin(room, "905177").ok
    with room.db.read() as session, pytest.raises(LinkUnknown):
        view(session, secret, now=room.clock.now())


def test_the_database_knows_no_sixth_failure(room: Room) -> None:
    from sqlalchemy.exc import IntegrityError

    room.give_pin()
    with pytest.raises(IntegrityError):
        room.run("UPDATE approver_pin SET failures = 6")


def test_a_proof_lasts_ten_minutes(room: Room) -> None:
    secret = room.proved(room.ask())
    with room.db.read() as session:
        now = room.clock.now()
        seen = view(session, secret, now=now)
        assert (seen.proved, seen.proved_until, seen.proof_method) == (True, now + timedelta(minutes=10), "pin")
        assert view(session, secret, now=now + timedelta(minutes=9, seconds=59)).proved
        late = view(session, secret, now=now + timedelta(minutes=10))
        assert (late.proved, late.proved_until, late.proof_method) == (False, None, None)


def test_a_proof_from_the_future_is_none(room: Room) -> None:
    secret = room.proved(room.ask())
    with room.db.read() as session:
        assert not view(session, secret, now=room.clock.now() - timedelta(seconds=1)).proved


def test_whoever_else_opened_the_link_is_not_proved_by_the_heads_pin(room: Room) -> None:
    """A mail scanner, or the reader of a forwarded mail, holds the secret that the link itself gives."""
    request = room.ask()
    token = room.link(request)
    scanner = room.opened(token)
    room.give_pin()
    mine = room.enter(room.opened(token)).view_secret
    assert mine is not None
    with room.db.read() as session:
        assert view(session, mine, now=room.clock.now()).proved
        assert not view(session, scanner, now=room.clock.now()).proved
        assert not view(session, room.opened(token), now=room.clock.now()).proved


def test_a_proof_can_be_renewed_and_the_earlier_secret_ends(room: Room) -> None:
    secret = room.proved(room.ask())
    room.clock.advance(minutes=11)
    fresh = room.enter(secret).view_secret
    assert fresh is not None
    assert fresh != secret
    with room.db.read() as session:
        assert view(session, fresh, now=room.clock.now()).proved
        with pytest.raises(LinkUnknown):
            view(session, secret, now=room.clock.now())


def test_a_proof_counts_for_its_request_only(room: Room) -> None:
    room.proved(room.ask(subject="post:1"))
    other = room.opened(room.link(room.ask(subject="post:2")))
    with room.db.read() as session:
        assert not view(session, other, now=room.clock.now()).proved


def test_a_wrong_pin_proves_nothing_and_makes_no_view(room: Room) -> None:
    room.give_pin()
    proof = room.enter(room.opened(room.link(room.ask())), WRONG_PIN)
    assert (proof.ok, proof.view_secret, proof.proved_until, proof.tries_left) == (False, None, None, 4)
    assert room.rows()["approval_view"] == 0


def test_a_dead_link_takes_no_pin_and_costs_no_try(room: Room) -> None:
    room.give_pin()
    secret = room.opened(room.link(room.ask()))
    room.clock.advance(hours=5)
    with pytest.raises(LinkExpired):
        room.enter(secret, WRONG_PIN)
    assert try_pin(room, WRONG_PIN).tries_left == 4


def test_no_more_than_two_pins_are_hashed_at_once(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from approvals import proofs

    busy: list[int] = []
    most: list[int] = []

    class Slow:
        def verify(self, pin_hash: str, pin: str) -> bool:
            busy.append(1)
            most.append(len(busy))
            time.sleep(0.02)
            busy.pop()
            return True

    monkeypatch.setattr(proofs, "_HASHER", Slow())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: proofs._verified("", PIN), range(16)))
    assert max(most) == 2


def test_pins_are_of_one_person_each(room: Room) -> None:
    room.give_pin(HEAD)
    room.give_pin(DEPUTY, "905177")
    assert try_pin(room, PIN, DEPUTY).outcome is PinOutcome.WRONG
    assert try_pin(room, PIN, HEAD).ok
    with room.db.read() as session:
        assert session.execute(text("SELECT failures FROM approver_pin ORDER BY person_id")).scalars().all() == [0, 1]
