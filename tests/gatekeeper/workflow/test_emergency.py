"""The emergency stop: whoever presses it first stops everything, whatever is under way; only the head's proof lets go."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from approvals import ledger, ledger_check, ledger_entries
from approvals.errors import ProofRefused
from gatekeeper.bootstrap import waker
from gatekeeper.channels.base import Channel
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, Conflict, NotAllowed
from gatekeeper.mail.model import Notice
from gatekeeper.people.staff import Audit, Role, Staff
from gatekeeper.posts.model import ChannelAccount, EmergencyStop
from gatekeeper.posts.status import PublicationState
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import emergency, publish, sending_view
from gatekeeper.workflow.emergency import MAY_PRESS, StopNotWritten
from gatekeeper.workflow.step_up import Proof
from tests.conftest import ToldClock
from tests.factories.school import PIN, School
from tests.factories.sending import live, no_guard, run
from tests.fixtures.signing import SIGNER

GIVEN = Proof(pin=PIN)


def stops(school: School) -> list[EmergencyStop]:
    with school.services.db.read() as session:
        return list(session.scalars(select(EmergencyStop).order_by(EmergencyStop.id)))


def entries(school: School) -> list[tuple[str, dict[str, Any]]]:
    kinds = ["emergency.pressed", "emergency.lifted"]
    with school.services.db.read() as session:
        assert ledger_check.verify(session).ok
        return [(entry.kind, entry.said()) for entry in ledger_entries.of_kinds(session, kinds)]


def shown(school: School) -> sending_view.SendingPage:
    with school.services.db.read() as session:
        return sending_view.page(session, now=school.services.clock.now())


def mails(school: School, kind: str) -> set[int]:
    with school.services.db.read() as session:
        told = list(session.scalars(select(Notice.staff_id).where(Notice.kind == kind)))
    assert len(told) == len(set(told))
    return set(told)


def due_post(school: School, clock: ToldClock, **more: Any) -> int:
    (publication,) = school.approve(school.post(kinds=("x",), **more))
    clock.advance(hours=1)
    return publication


@pytest.mark.parametrize("role", sorted(MAY_PRESS))
def test_a_press_is_in_the_ledger_the_audit_and_the_mail(school: School, clock: ToldClock, role: Role) -> None:
    by = school.staff[role]
    assert emergency.press(school.services, by=by, reason=" A photo of Wren. ") == emergency.Pressed(fresh=True)
    (stop,) = stops(school)
    assert (stop.pressed_by, stop.pressed_at, stop.reason, stop.standing) == (by, clock.now(), "A photo of Wren.", 1)
    assert entries(school) == [("emergency.pressed", {"stop": stop.id, "by": by, "being_sent": []})]
    assert mails(school, "sending_stopped") == {school.staff[one] for one in MAY_PRESS}
    with school.services.db.read() as session:
        (line,) = session.scalars(select(Audit).where(Audit.action == "emergency.pressed"))
        assert (line.staff_id, line.detail) == (by, {})
        told = str([one.context for one in session.scalars(select(Notice))])
    assert "Wren" not in told, "the reason may speak of a child"


@pytest.mark.parametrize("role", sorted(set(Role) - MAY_PRESS))
def test_cannot_press_in_another_role(school: School, role: Role) -> None:
    with pytest.raises(NotAllowed):
        emergency.press(school.services, by=school.staff[role])
    assert stops(school) == []


def test_cannot_press_with_a_closed_account_or_with_a_novel_for_a_reason(school: School) -> None:
    with pytest.raises(BadInput, match="300"):
        emergency.press(school.services, by=school.head, reason="x" * 301)
    with school.services.db.begin() as session:
        session.get_one(Staff, school.head).ends_on = date(2026, 11, 22)
    with pytest.raises(NotAllowed):
        emergency.press(school.services, by=school.head)
    assert stops(school) == []


def test_what_was_claimed_when_it_was_pressed_is_not_sent(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    publication = due_post(school, clock, photos=1)
    (claim,) = claiming.claim_due(school.services, owner="test")
    assert emergency.press(school.services, by=school.head).being_sent == 0
    publish.publish(school.services, claim, guard=no_guard)
    assert not simulator.requests("POST"), "not even a picture may leave the school"
    assert school.publication(publication).state == PublicationState.SCHEDULED


def test_pressed_between_the_intent_and_the_call_it_still_comes_in_time_and_counts_it_all_the_same(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    publication = due_post(school, clock)
    (claim,) = claiming.claim_due(school.services, owner="test")
    pressed: list[emergency.Pressed] = []

    @contextmanager
    def press_now(_seconds: float) -> Iterator[None]:
        pressed.append(emergency.press(school.services, by=school.head))
        yield

    publish.publish(school.services, claim, guard=press_now)
    assert live(simulator)["x"] == 0
    assert pressed[0].being_sent == 1, "at that moment nobody could know that it would be caught"
    (line,) = shown(school).being_sent.shown
    assert line.words == "Waiting for its time"
    assert school.publication(publication).state == PublicationState.SCHEDULED


def test_what_is_already_on_the_wire_is_said_and_followed(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    publication = due_post(school, clock)
    pressed: list[emergency.Pressed] = []
    whole = school.services.channel_for
    assert whole is not None

    def channel_for(account: ChannelAccount) -> Channel:
        channel = whole(account)
        send = channel.create_post

        def create_post(*args: Any, **kwargs: Any) -> Any:
            pressed.append(emergency.press(school.services, by=school.head))
            return send(*args, **kwargs)

        channel.create_post = create_post  # type: ignore[method-assign]
        return channel

    services = replace(school.services, channel_for=channel_for)
    (claim,) = claiming.claim_due(services, owner="test")
    publish.publish(services, claim, guard=no_guard)
    assert live(simulator)["x"] == 1
    assert pressed == [emergency.Pressed(fresh=True, being_sent=1)]
    assert entries(school)[0][1]["being_sent"] == [publication]
    (line,) = shown(school).being_sent.shown
    assert line.words == "Published"


def test_in_the_midst_of_many_posts_nothing_goes_out_that_was_not_being_sent(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    """A publisher runs as fast as it can; the stop is pressed beside it."""
    made = {school.approve(school.post(kinds=("x",), text=f"Our basket {n} is full."))[0] for n in range(12)}
    clock.advance(hours=1)

    def publisher() -> None:
        while claims := claiming.claim_due(school.services, owner="test", limit=1):
            publish.publish(school.services, claims[0], guard=no_guard)

    thread = threading.Thread(target=publisher)
    thread.start()
    while not simulator.posts("x"):
        time.sleep(0.005)
    assert emergency.press(school.services, by=school.head).fresh
    public = len(simulator.posts("x"))
    thread.join(30)
    still = entries(school)[0][1]["being_sent"]
    assert len(still) <= 1
    assert len(simulator.posts("x")) <= public + len(still) < len(made)


def test_pressed_twice_one_stop_stands_and_nobody_is_told_again(school: School) -> None:
    assert emergency.press(school.services, by=school.head).fresh
    assert not emergency.press(school.services, by=school.staff[Role.ADMINISTRATOR], reason="me too").fresh
    (stop,) = stops(school)
    assert stop.pressed_by == school.head
    assert len(entries(school)) == 1
    assert len(mails(school, "sending_stopped")) == len(MAY_PRESS)


def test_pressed_by_four_at_once_one_stop_stands(school: School) -> None:
    gate = threading.Barrier(4)
    done: list[bool] = []

    def press() -> None:
        gate.wait(10)
        done.append(emergency.press(school.services, by=school.head).fresh)

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(done) == [False, False, False, True]
    assert len(stops(school)) == len(entries(school)) == 1


def test_it_is_pressed_as_soon_as_whoever_writes_is_done(school: School) -> None:
    holding, freed = threading.Event(), threading.Event()

    def write() -> None:
        with school.services.db.begin() as session:
            ledger.hold(session)
            session.add(Audit(at=school.services.clock.now(), action="busy", subject="test"))
            session.flush()
            holding.set()
            time.sleep(0.4)
            freed.set()

    thread = threading.Thread(target=write)
    thread.start()
    holding.wait(10)
    emergency.press(school.services, by=school.head)
    assert freed.is_set()
    thread.join(10)
    assert len(stops(school)) == 1


class _Shaky(Database):
    """A database that refuses so many transactions and then works."""

    refusals = 0

    @contextmanager
    def begin(self, *, hurried: bool = False) -> Iterator[Session]:
        if self.refusals:
            self.refusals -= 1
            raise OperationalError("BEGIN", {}, Exception("database is locked"))
        with super().begin(hurried=hurried) as session:
            yield session


@pytest.mark.parametrize(("refusals", "pressed"), [(3, True), (1_000_000, False)], ids=["busy", "gone"])
def test_it_tries_again_at_once_and_in_the_end_says_that_it_is_not_pressed(
    school: School, monkeypatch: pytest.MonkeyPatch, *, refusals: int, pressed: bool
) -> None:
    monkeypatch.setattr(emergency, "_PATIENCE", 0.3)
    shaky = _Shaky(school.services.db.url, signer=SIGNER)
    shaky.refusals = refusals
    services = replace(school.services, db=shaky)
    if pressed:
        assert emergency.press(services, by=school.head).fresh
    else:
        with pytest.raises(StopNotWritten, match="Press again"):
            emergency.press(services, by=school.head)
    shaky.engine.dispose()
    assert bool(stops(school)) == pressed


def test_it_is_pressed_although_the_queue_is_gone(school: School) -> None:
    services = replace(school.services, wake=waker("unix:///nowhere/valkey.sock"))
    assert emergency.press(services, by=school.head).fresh
    assert mails(school, "sending_stopped")


# ---- lifting ----


def test_the_head_lifts_it_by_proof_and_what_is_in_time_goes_out_in_its_order(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    made = [
        school.approve(school.post(kinds=("x",), text=f"Basket {number} is full.", due_in=timedelta(hours=hours)))
        for number, hours in enumerate((3, 1, 2))
    ]
    missed = made[1]
    emergency.press(school.services, by=school.staff[Role.ADMINISTRATOR])
    clock.advance(hours=3, seconds=1)  # the window of the second has closed by a second
    run(school)
    page = shown(school)
    assert [line.due_at.hour for line in page.ready.shown] == [11, 12]
    assert [line.due_at.hour for line in page.missed.shown] == [10]
    assert page.missed.shown[0].words == "Its time passed before it could be sent"
    assert school.publication(missed[0]).problem.endswith("Sending was stopped at that time.")
    emergency.lift(school.services, by=school.head, proof=GIVEN)
    assert run(school) == 2
    assert [post.text for post in simulator.posts("x")] == ["Basket 2 is full.", "Basket 0 is full."]
    (stop,) = stops(school)
    assert entries(school)[1] == ("emergency.lifted", {"stop": stop.id, "by": school.head, "proof": "pin"})
    assert (stop.standing, stop.lifted_by, stop.proof_method) == (None, school.head, "pin")
    assert mails(school, "sending_on") == {school.staff[one] for one in MAY_PRESS}
    assert shown(school).past[0].lifted_at == clock.now()


def test_what_was_caught_right_before_its_call_waits_no_longer_than_the_others(
    school: School, simulator: Simulator, clock: ToldClock
) -> None:
    publication = due_post(school, clock)
    (claim,) = claiming.claim_due(school.services, owner="test")

    @contextmanager
    def press_now(_seconds: float) -> Iterator[None]:
        emergency.press(school.services, by=school.head)
        yield

    publish.publish(school.services, claim, guard=press_now)
    assert school.publication(publication).next_at > clock.now()
    emergency.lift(school.services, by=school.head, proof=GIVEN)
    waiting = school.publication(publication)
    assert (waiting.next_at, waiting.problem) == (clock.now(), "")
    assert run(school) == 1
    assert live(simulator)["x"] == 1


@pytest.mark.parametrize("proof", [Proof(), Proof(pin="000001")], ids=["none", "wrong"])
def test_cannot_be_lifted_without_the_second_proof(school: School, proof: Proof) -> None:
    emergency.press(school.services, by=school.head)
    with pytest.raises(ProofRefused):
        emergency.lift(school.services, by=school.head, proof=proof)
    assert stops(school)[0].standing == 1


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.HEADTEACHER}))
def test_cannot_be_lifted_by_anybody_else(school: School, role: Role) -> None:
    emergency.press(school.services, by=school.head)
    with pytest.raises(NotAllowed):
        emergency.lift(school.services, by=school.staff[role], proof=GIVEN)
    assert stops(school)[0].standing == 1


def test_what_does_not_stand_cannot_be_lifted_and_costs_no_try(school: School) -> None:
    with pytest.raises(Conflict):
        emergency.lift(school.services, by=school.head, proof=Proof(pin="000001"))
    emergency.press(school.services, by=school.head)
    emergency.lift(school.services, by=school.head, proof=GIVEN)
    with pytest.raises(Conflict):
        emergency.lift(school.services, by=school.head, proof=GIVEN)
    assert emergency.press(school.services, by=school.head).fresh  # and it can be pressed again
    assert [stop.standing for stop in stops(school)] == [None, 1]
