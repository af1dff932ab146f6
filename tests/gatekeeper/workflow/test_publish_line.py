"""Several posts sent one after the other: each answer is durable before the next post leaves, and one alone is in doubt."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from approvals import decisions
from approvals.tables import Decision
from gatekeeper.channels.base import Channel
from gatekeeper.mail.model import Notice
from gatekeeper.posts.model import Attempt, ChannelAccount, EmergencyStop, Publication
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.simulator.server import Simulator
from gatekeeper.workflow import claim as claiming
from gatekeeper.workflow import crash_points, publish, reconcile
from gatekeeper.workflow.stopped import EMERGENCY
from tests.conftest import ToldClock
from tests.factories.school import School
from tests.factories.sending import fault_on_create, live, no_guard, run
from workers.publish import turn

Listen = Callable[[str, int, Callable[[], None]], None]


@pytest.fixture
def three(school: School, clock: ToldClock) -> list[int]:
    """Three posts for one channel, due at the same moment."""
    found = [school.approve(school.post(kinds=("x",), text=f"Harvest, part {n}"))[0] for n in range(3)]
    clock.advance(hours=1)
    return found


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Listen:
    """Does something once when the program comes to a point with a publication in hand."""

    def listen(point: str, publication: int, act: Callable[[], None]) -> None:
        def told(reached: str, about: int) -> None:
            if (reached, about) == (point, publication):
                monkeypatch.setattr(crash_points, "_listeners", [])
                act()

        monkeypatch.setattr(crash_points, "_listeners", [told])

    return listen


def die() -> None:
    raise KeyboardInterrupt  # nothing in the program catches it, as nothing catches SIGKILL


def send_all(school: School, *, go_on: Callable[[], bool] = lambda: True) -> None:
    claims = claiming.claim_due(school.services, owner="test")
    publish.publish_all(school.services, claims, guard=no_guard, go_on=go_on)


def states(school: School, publications: list[int]) -> list[str]:
    return [school.publication(one).state for one in publications]


def test_they_are_claimed_together_in_their_order_each_under_its_own_fence(school: School, three: list[int]) -> None:
    claims = claiming.claim_due(school.services, owner="test")
    assert [(claim.publication_id, claim.fence) for claim in claims] == [(one, 1) for one in three]
    assert claiming.claim_due(school.services, owner="another") == []


def test_when_a_post_leaves_the_one_before_is_written_down_and_no_later_one_is_begun(
    school: School, simulator: Simulator, three: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def told(point: str, _publication: int) -> None:
        if point == "C2b":  # the intent is durable, and not a byte has left
            seen.append(states(school, three))

    monkeypatch.setattr(crash_points, "_listeners", [told])
    send_all(school)
    assert seen == [
        [S.SENDING, S.CLAIMED, S.CLAIMED],
        [S.PUBLISHED, S.SENDING, S.CLAIMED],
        [S.PUBLISHED, S.PUBLISHED, S.SENDING],
    ]
    assert states(school, three) == [S.PUBLISHED] * 3
    assert live(simulator)["x"] == 3
    with school.services.db.read() as session:
        assert [one.outcome for one in session.scalars(select(Attempt))] == ["published"] * 3


def test_an_approval_taken_back_meanwhile_stops_its_post_and_not_the_record_of_the_one_before(
    school: School, simulator: Simulator, three: list[int], at: Listen, clock: ToldClock
) -> None:
    def withdraw() -> None:
        with school.services.db.begin() as session:
            decision = session.get_one(Decision, session.get_one(Publication, three[1]).decision_id)
            decisions.withdraw(session, decision, by_person=school.head, reason="Second thoughts.", now=clock.now())

    at("C5", three[0], withdraw)
    send_all(school)
    assert states(school, three) == [S.PUBLISHED, S.FAILED, S.PUBLISHED]
    assert live(simulator)["x"] == 2


def test_a_fault_at_the_next_gate_does_not_undo_what_is_known_of_the_one_before(
    school: School, simulator: Simulator, three: list[int], at: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = cast("Any", publish).ask_gate

    def broken(*words: object, **names: object) -> None:
        monkeypatch.setattr(publish, "ask_gate", ask)
        raise RuntimeError

    at("C5", three[0], lambda: monkeypatch.setattr(publish, "ask_gate", broken))
    send_all(school)
    assert states(school, three) == [S.PUBLISHED, S.SCHEDULED, S.PUBLISHED]
    assert live(simulator)["x"] == 2


def test_a_stop_pressed_meanwhile_keeps_what_has_not_left(
    school: School, simulator: Simulator, three: list[int], at: Listen, clock: ToldClock
) -> None:
    def press() -> None:
        with school.services.db.begin() as session:
            session.add(EmergencyStop(pressed_by=school.head, pressed_at=clock.now(), reason="A drill.", standing=1))

    at("C5", three[0], press)
    send_all(school)
    assert states(school, three) == [S.PUBLISHED, S.SCHEDULED, S.SCHEDULED]
    assert school.publication(three[2]).problem == EMERGENCY
    assert live(simulator)["x"] == 1


def test_keys_that_were_renewed_meanwhile_are_those_that_are_used(
    school: School, simulator: Simulator, three: list[int], at: Listen
) -> None:
    used: list[str | None] = []
    build = school.services.channel_for
    assert build is not None

    def renew() -> None:
        with school.services.db.begin() as session:
            session.execute(text("UPDATE channel_account SET sealed = 'the new ones'"))

    def channel_for(account: ChannelAccount) -> Channel:
        used.append(account.sealed)
        return build(account)

    school.services = replace(school.services, channel_for=channel_for)
    at("C5", three[0], renew)
    send_all(school)
    assert states(school, three) == [S.PUBLISHED, S.SCHEDULED, S.SCHEDULED]
    assert run(school) == 2
    assert states(school, three) == [S.PUBLISHED] * 3
    assert used[-2:] == ["the new ones"] * 2
    assert live(simulator)["x"] == 3


@pytest.mark.parametrize("point", ["C2a", "C6a"])
def test_a_crash_before_both_are_durable_leaves_one_in_doubt_and_the_next_untouched(
    school: School,
    simulator: Simulator,
    three: list[int],
    at: Listen,
    *,
    clock: ToldClock,
    point: str,
) -> None:
    at(point, three[1] if point == "C2a" else three[0], die)
    with pytest.raises(KeyboardInterrupt):
        send_all(school)
    assert states(school, three) == [S.SENDING, S.CLAIMED, S.CLAIMED]
    assert live(simulator)["x"] == 1
    clock.advance(seconds=181)
    reconcile.recover(school.services)
    reconcile.reconcile(school.services)
    run(school)
    assert states(school, three) == [S.PUBLISHED] * 3
    assert live(simulator)["x"] == 3


def test_a_crash_right_after_leaves_the_first_written_down_with_its_emails(
    school: School, simulator: Simulator, three: list[int], at: Listen
) -> None:
    at("C2b", three[1], die)
    with pytest.raises(KeyboardInterrupt):
        send_all(school)
    assert states(school, three)[:2] == [S.PUBLISHED, S.SENDING]
    assert live(simulator)["x"] == 1
    with school.services.db.read() as session:
        told = session.scalars(select(Notice).where(Notice.kind == "published")).all()
        ordered = session.execute(text("SELECT subject_id FROM job_order WHERE job = 'notify'")).scalars().all()
    assert {one.staff_id for one in told} == {school.author, school.head}
    assert {one.id for one in told} <= set(ordered)


def test_an_unclear_answer_in_between_is_looked_up_and_the_others_go_out(
    school: School, simulator: Simulator, three: list[int], at: Listen
) -> None:
    at("C5", three[0], lambda: fault_on_create(simulator, "x", "accept_then_drop"))
    send_all(school)
    assert states(school, three) == [S.PUBLISHED, S.UNKNOWN, S.PUBLISHED]
    assert live(simulator)["x"] == 3


def test_what_there_is_no_time_for_is_given_back_and_goes_out_later(
    school: School, simulator: Simulator, three: list[int]
) -> None:
    send_all(school, go_on=lambda: False)
    assert states(school, three) == [S.PUBLISHED, S.SCHEDULED, S.SCHEDULED]
    assert school.publication(three[1]).lease_until is None
    assert run(school) == 2
    assert live(simulator)["x"] == 3


def test_the_queue_hears_of_the_emails_once_in_a_turn(school: School, simulator: Simulator, three: list[int]) -> None:
    heard: list[list[tuple[str, int]]] = []
    assert turn(replace(school.services, wake=heard.append), owner="test") == 3
    assert live(simulator)["x"] == 3
    (orders,) = heard
    assert {name for name, _ in orders} == {"notify"}
    assert len(orders) == 6, "the author and the headteacher, of each post"


def test_the_next_post_is_waited_for_and_no_longer(school: School, clock: ToldClock, three: list[int]) -> None:
    run(school)
    school.approve(school.post(kinds=("x",), text="Harvest, the last part"))  # an hour from now
    poll = timedelta(seconds=0.5)
    assert claiming.until_next(school.services, at_most=poll) == poll
    clock.advance(minutes=59, seconds=59.9)
    assert claiming.until_next(school.services, at_most=poll) == timedelta(seconds=0.1)


@pytest.mark.parametrize("photos", [0, 1])
def test_an_answer_that_could_not_be_written_down_at_once_is_written_at_the_next_chance(
    school: School, clock: ToldClock, monkeypatch: pytest.MonkeyPatch, photos: int
) -> None:
    first, second = (
        school.approve(school.post(kinds=("x",), photos=photos, text=f"Harvest, part {n}"))[0] for n in range(2)
    )
    clock.advance(hours=1)
    lock, locked = publish.in_hand.lock, []

    def fail_once(session: Any, *numbers: int) -> None:
        locked.append(numbers)
        if len(locked) == 2:
            raise OperationalError("LOCK", {}, Exception("deadlock detected"))
        lock(session, *numbers)

    monkeypatch.setattr(publish.in_hand, "lock", fail_once)
    send_all(school)
    assert first in locked[1]
    assert school.publication(first).state == S.PUBLISHED
    assert school.publication(second).state == S.SCHEDULED
