"""What a seed draws: the same every time, and something of everything."""

import pytest

from gatekeeper.ops.drill.pace import FASTEST, pace
from gatekeeper.ops.drill.run import Drill, ordeals
from gatekeeper.ops.drill.schedule import COMPLETE, KINDS, POSTS, draw, warming


def test_a_seed_draws_the_same_again_and_another_seed_something_else() -> None:
    assert draw(1, 7, factor=60) == draw(1, 7, factor=60)
    assert draw(1, 7, factor=60) != draw(2, 7, factor=60)


def test_no_number_comes_twice() -> None:
    drawn = [*warming(), *(one for schedule in range(50) for one in draw(1, schedule, factor=60))]
    assert len({one.number for one in drawn}) == len(KINDS) + 50 * POSTS == len(drawn)


def test_thirty_schedules_draw_every_fault_kill_and_change() -> None:
    drawn = [one for schedule in range(30) for one in draw(20261123, schedule, factor=60)]
    assert {one.kind for one in drawn} == set(KINDS)
    assert {one.change for one in drawn} >= {"stop", "edit", "consent"}
    assert {one.kill[:2] for one in drawn} >= {"C1", "C2", "C3", "C4", "C5", "C6"}
    assert {one.fault.get("mode") for one in drawn} >= {
        "accept_then_drop", "accept_then_5xx", "accept_then_garbage", "delay", "status", "drop_before",
    }  # fmt: skip


def test_what_is_never_listed_is_tried_only_where_absence_proves_nothing() -> None:
    hidden = {
        one.kind
        for schedule in range(200)
        for one in draw(3, schedule, factor=60)
        if one.fault.get("mode") == "never_listed"
    }
    assert hidden == set(KINDS) - {COMPLETE}


def test_the_machine_that_does_not_wait_is_tried_where_that_makes_it_send_twice() -> None:
    assert {one.kind for one in ordeals(Drill(schedules=9, seed=1, without="settle"), range(9), factor=60)} == {
        COMPLETE
    }
    assert {one.kind for one in ordeals(Drill(schedules=9, seed=1, without="gate"), range(9), factor=60)} == set(KINDS)


def test_a_late_effect_comes_before_the_machine_takes_it_for_absent() -> None:
    late = [
        one.fault["seconds"]
        for schedule in range(200)
        for one in draw(3, schedule, factor=FASTEST)
        if one.fault.get("mode") == "delay"
    ]
    assert late
    assert max(late) < pace(FASTEST).settle.total_seconds()


def test_every_wait_shrinks_by_the_same_factor() -> None:
    usual, fast = pace(1), pace(60)
    waits = [(usual.lease, fast.lease), (usual.settle, fast.settle), *zip(usual.reads, fast.reads, strict=True)]
    assert [slow / quick for slow, quick in waits] == pytest.approx([60] * 6, rel=1e-4)
    assert usual.wire / fast.wire == pytest.approx(60)
