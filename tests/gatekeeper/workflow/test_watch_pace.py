"""How often an account is read: the usual pause, the month's budget, and what was set."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatekeeper.workflow.watch_pace import WatchSetting, month_after, next_reading, pace_of, setting_of
from tests.factories.school import make_settings

NOW = datetime(2026, 11, 16, tzinfo=UTC)  # half of the month is left


@pytest.mark.parametrize(
    ("spent", "reads", "pause"),
    [
        (1_000, 0, timedelta(minutes=15)),
        (1_000, 1, timedelta(minutes=21, seconds=36)),
        (1_000, 10, timedelta(hours=3, minutes=36)),
        (1_990, 100, timedelta(days=15)),
        (2_000, 0, timedelta(days=15)),
        (5_000, 0, timedelta(days=15)),
    ],
    ids=["nothing-read", "one-post", "ten-posts", "more-than-is-left", "used-up", "overdrawn"],
)
def test_what_is_left_of_the_budget_is_spread_over_what_is_left_of_the_month(
    tmp_path: Path, spent: int, reads: int, pause: timedelta
) -> None:
    pace = pace_of("x", WatchSetting(), make_settings(tmp_path, ""))
    assert next_reading(pace, now=NOW, budget=2_000, spent=spent, reads=reads, demo=False) == NOW + pause


def test_where_nothing_costs_every_pause_is_the_one_that_was_set(tmp_path: Path) -> None:
    pace = pace_of("facebook", WatchSetting(minutes=30), make_settings(tmp_path, ""))
    assert next_reading(pace, now=NOW, budget=0, spent=9, reads=99, demo=False) == NOW + timedelta(minutes=30)
    demo = pace_of("x", WatchSetting(), make_settings(tmp_path, "", demo=True))
    assert next_reading(demo, now=NOW, budget=0, spent=9, reads=99, demo=True) - NOW < timedelta(minutes=1)


def test_the_younger_a_post_the_sooner_it_is_asked_for(tmp_path: Path) -> None:
    free = pace_of("linkedin", WatchSetting(), make_settings(tmp_path, ""))
    paid = pace_of("x", WatchSetting(), make_settings(tmp_path, ""))
    ages = [timedelta(minutes=10), timedelta(hours=8), timedelta(days=2), timedelta(days=80)]
    assert [free.looked_up_after(age) for age in ages] == [
        timedelta(minutes=15),
        timedelta(hours=2),
        timedelta(hours=12),
        timedelta(days=1),
    ]
    assert paid.looked_up_after(ages[-1]) == timedelta(days=7)
    assert free.after_failures(1) == timedelta(minutes=15)
    assert free.after_failures(50) == timedelta(hours=1)


@pytest.mark.parametrize(
    "stored",
    [None, {}, [], "often", {"minutes": 7, "reads": -1}, {"minutes": "15", "reads": 10**9}, {"minutes": None}],
    ids=["none", "empty", "list", "word", "out-of-bounds", "wrong-kinds", "half"],
)
def test_a_setting_that_cannot_be_counts_as_the_usual_one(stored: object) -> None:
    assert setting_of({"watch": stored}) == WatchSetting()


@pytest.mark.parametrize(
    ("day", "next_month"),
    [
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), (2027, 1)),
        (datetime(2028, 2, 29, tzinfo=UTC), (2028, 3)),
        (datetime(2026, 1, 1, tzinfo=UTC), (2026, 2)),
    ],
    ids=["new-year", "leap-day", "first"],
)
def test_the_next_month_begins_on_its_first_day(day: datetime, next_month: tuple[int, int]) -> None:
    assert month_after(day) == datetime(*next_month, 1, tzinfo=UTC)
