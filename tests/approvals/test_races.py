"""Many at once. Every thread waits at the same gate; the rooms are real databases."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from approvals import ledger, ledger_check
from approvals.decisions import is_in_force
from approvals.errors import AlreadyDecided, QuestionClosed, RequestClosed
from approvals.proofs import PinOutcome, check_pin
from approvals.requests import void_requests
from approvals.tables import Decision, Verdict
from tests.approvals.room import HEAD, PIN, WRONG_PIN, Room

THREADS = 50


def together(calls: list[Callable[[], Any]]) -> list[Any]:
    """What each call returned or raised, all begun at the same moment."""
    gate = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def run(place: int) -> None:
        gate.wait()
        try:
            results[place] = calls[place]()
        except Exception as error:  # noqa: BLE001 - whatever it was is looked at below
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_fifty_decisions_at_once_leave_one(room: Room) -> None:
    """Several browsers of the head, each with its own proof, press different buttons at the same moment."""
    rounds = 24 if room.db.is_sqlite else 12
    room.give_pin()
    for number in range(rounds):
        request = room.ask(subject=f"post:{number}")
        secrets = [room.enter(room.opened(room.link(request))).view_secret for _ in range(5)]

        def press(place: int, secrets: list[str | None] = secrets) -> Decision:
            verdict = list(Verdict)[place % len(Verdict)]
            return room.decide(secrets[place % 5] or "", verdict=verdict, statement="This is what I decided.")

        results = together([partial(press, place) for place in range(THREADS)])
        refused = [result for result in results if isinstance(result, AlreadyDecided)]
        (made,) = [result for result in results if not isinstance(result, Exception)]
        assert len(refused) == THREADS - 1
        assert {error.decision.id for error in refused} == {made.id}
        assert {error.decision.verdict for error in refused} == {made.verdict}
        assert room.rows()["decision"] == number + 1
    with room.db.read() as session:
        chain = ledger_check.verify(session)
    assert (chain.ok, chain.entries) == (True, 2 + 2 * rounds)


def test_one_conditional_update_decides_even_without_the_lock(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock keeps order; that there is one decision rests on the request's own row as well."""
    monkeypatch.setattr(ledger, "hold", lambda _session: None)
    for number in range(10):
        secret = room.proved(room.ask(subject=f"post:{number}"))
        results = together([partial(room.decide, secret)] * 10)
        assert Counter(type(result).__name__ for result in results) == {"AlreadyDecided": 9, "Decision": 1}


def test_a_decision_and_a_newer_version_at_once_never_leave_an_approval_of_the_old_in_force(room: Room) -> None:
    outcomes: Counter[str] = Counter()
    for number in range(15):
        subject = f"post:{number}"
        secret = room.proved(room.ask(subject=subject))
        decided, newer = together(
            [
                partial(room.decide, secret),
                partial(room.ask, subject=subject, version_ref="version:35", digest="cd" * 32),
            ]
        )
        assert not isinstance(newer, Exception), newer
        if isinstance(decided, Exception):
            assert isinstance(decided, RequestClosed)
            outcomes["refused"] += 1
        else:
            with room.db.begin() as session:
                assert not is_in_force(session, decided.id, keep=True)
            outcomes["superseded"] += 1
    assert sum(outcomes.values()) == 15
    with room.db.read() as session:
        assert ledger_check.verify(session).ok


def test_a_decision_and_a_void_at_once_leave_one_of_the_two(room: Room) -> None:
    for number in range(15):
        subject = f"post:{number}"
        secret = room.proved(room.ask(subject=subject))

        def void(subject: str = subject) -> int:
            with room.db.begin() as session:
                return len(void_requests(session, subject, reason="Taken back.", now=room.clock.now()))

        decided, voided = together([partial(room.decide, secret), void])
        assert isinstance(decided, QuestionClosed) is (voided == 1), (decided, voided)


def test_fifty_guesses_at_once_are_five(room: Room) -> None:
    def guess(pin: str) -> PinOutcome:
        with room.db.begin() as session:
            return check_pin(session, HEAD, pin, now=room.clock.now()).outcome

    for _ in range(5):
        room.give_pin()
        results = together([partial(guess, WRONG_PIN)] * THREADS)
        assert Counter(results) == {PinOutcome.WRONG: 4, PinOutcome.LOCKED: THREADS - 4}
        assert guess(PIN) is PinOutcome.LOCKED
    with room.db.read() as session:
        chain = ledger_check.verify(session)
    assert (chain.ok, chain.entries) == (True, 11)  # one lock for each PIN, not one for each thread


def test_fifty_guesses_at_once_ask_the_hash_five_times(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    from approvals import proofs

    asked: list[str] = []
    honest = proofs._verified

    def counting(pin_hash: str, pin: str) -> bool:
        asked.append(pin)
        return honest(pin_hash, pin)

    monkeypatch.setattr(proofs, "_verified", counting)
    room.give_pin()

    def guess(number: int) -> None:
        with room.db.begin() as session:
            check_pin(session, HEAD, f"{700_000 + number}", now=room.clock.now())

    together([partial(guess, number) for number in range(THREADS)])
    assert len(asked) == 5


def test_entries_written_at_once_stand_in_one_unbroken_row(room: Room) -> None:
    def write(number: int) -> int:
        with room.db.begin() as session:
            entry = ledger.append(session, at=room.clock.now(), kind="test.written", body={"number": number})
            return entry.seq

    results = together([partial(write, number) for number in range(THREADS)])
    assert sorted(results) == list(range(2, THREADS + 2))  # the first of all names the key
    with room.db.read() as session:
        chain = ledger_check.verify(session)
    assert (chain.ok, chain.entries) == (True, THREADS + 1)
