"""Many at once. Every thread waits at the same gate; the rooms are real databases."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from approvals import ledger, ledger_check
from approvals.decisions import is_in_force
from approvals.errors import AlreadyDecided, QuestionClosed, RequestClosed
from approvals.proofs import PinOutcome, check_pin, prove_view
from approvals.requests import open_request, void_requests
from approvals.tables import Decision, LedgerEntry, Verdict
from approvals.tokens import DECIDE, mint, open_link
from gatekeeper.db import session as session_module
from gatekeeper.db.session import Database
from tests.approvals.room import DEPUTY, HEAD, PIN, WRONG_PIN, Room
from tests.factories.crowd import Crowd
from tests.fixtures.signing import SIGNER

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


def hands(room: Room, number: int) -> list[str]:
    """A fresh question, and the browsers of head and deputy, two tabs each, in which the proof was given."""
    now = room.clock.now()
    with room.db.begin() as session:
        request = open_request(session, **room.question(subject=f"post:{number}"))
        links = [mint(session, request=request, person_id=one, purpose=DECIDE, now=now) for one in (HEAD, DEPUTY)]
        views = [open_link(session, link, purpose=DECIDE, now=now).view_secret for link in links]
        return [prove_view(session, view, PIN, now=now).view_secret or "" for view in views for _ in range(2)]


@pytest.mark.timeout(600)  # ten thousand transactions that all want the same row
def test_fifty_at_once_round_after_round_leave_one_decision_each(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Head and deputy, two tabs each, press different buttons about the same post at the same moment."""
    kept = partial(create_engine, pool_size=20, max_overflow=0)  # connecting anew would be most of the time
    monkeypatch.setattr(session_module, "create_engine", kept)
    room = Room(Database(room.db.engine.url.render_as_string(hide_password=False), signer=SIGNER), room.clock)
    rounds = 200
    for person in (HEAD, DEPUTY):
        room.give_pin(person)
    deciders: Counter[int] = Counter()
    with Crowd(THREADS) as crowd:
        for number in range(rounds):
            secrets = hands(room, number)

            def press(place: int, secrets: list[str] = secrets) -> Decision:
                verdict = list(Verdict)[place % len(Verdict)]
                return room.decide(secrets[place % 4], verdict=verdict, statement="This is what I decided.")

            results = crowd.together([partial(press, place) for place in range(THREADS)])
            refused = [result for result in results if isinstance(result, AlreadyDecided)]
            (made,) = [result for result in results if not isinstance(result, Exception)]
            assert len(refused) == THREADS - 1, Counter(map(type, results))
            assert {(error.decision.id, error.decision.verdict) for error in refused} == {(made.id, made.verdict)}
            deciders[made.approver_id] += 1
    rows = room.rows()
    assert (rows["decision"], rows["approval_request"]) == (rounds, rounds)
    with room.db.read() as session:
        kinds = Counter(session.scalars(select(LedgerEntry.kind)))
        assert kinds["decision.recorded"] == rounds
        assert ledger_check.verify(session).ok
    room.db.engine.dispose()
    assert sum(deciders.values()) == rounds


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
