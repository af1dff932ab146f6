"""Weeks and days by the school's wall clock, on the nights when the clocks change and when the year does."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from gatekeeper.clock import london
from gatekeeper.policy.calendar import (
    CLOSE,
    clock_change,
    day_typed,
    days_from,
    free_slots,
    hours_in,
    monday_of,
    starts_at,
    wall,
)
from gatekeeper.policy.hours import SchoolHours

USUAL = SchoolHours()
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "monday"),
    [("2026-11-23", "2026-11-23"), ("2026-11-29", "2026-11-23"), ("2027-01-01", "2026-12-28"), ("2028-02-29", "2028-02-28")],
)  # fmt: skip
def test_a_week_begins_on_monday_also_over_the_end_of_a_year(day: str, monday: str) -> None:
    assert monday_of(date.fromisoformat(day)) == date.fromisoformat(monday)


def test_the_week_over_new_year_has_its_seven_days() -> None:
    week = days_from(monday_of(date(2027, 1, 1)))
    assert [f"{day:%d.%m.%y}" for day in week] == [
        "28.12.26", "29.12.26", "30.12.26", "31.12.26", "01.01.27", "02.01.27", "03.01.27",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "hours", "words"),
    [
        ("2026-03-29", 23, "go forward: this day has 23 hours"),
        ("2026-10-25", 25, "go back: this day has 25 hours"),
        ("2026-03-28", 24, ""),
        ("2026-10-26", 24, ""),
    ],
)
def test_a_day_knows_when_the_clocks_change(day: str, hours: int, words: str) -> None:
    assert hours_in(date.fromisoformat(day)) == hours
    assert words in clock_change(date.fromisoformat(day))
    assert bool(clock_change(date.fromisoformat(day))) == bool(words)


def test_no_moment_of_two_years_is_lost_between_two_days_or_stands_in_both() -> None:
    first = date(2026, 1, 1)
    for day in days_from(first, 731):
        begins, ends = starts_at(day), starts_at(day + timedelta(days=1))
        assert london(begins).time() == time()
        assert london(begins).date() == day
        assert london(ends - timedelta(microseconds=1)).date() == day


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-10-25T00:30", "01:30 BST (UTC+1)"),
        ("2026-10-25T01:30", "01:30 GMT (UTC+0)"),
        ("2026-10-24T23:59", "00:59"),
        ("2026-10-25T02:00", "02:00"),
        ("2026-03-29T00:59", "00:59"),
        ("2026-03-29T01:00", "02:00"),
        ("2026-06-01T11:00", "12:00"),
    ],
)
def test_only_the_hour_that_comes_twice_is_told_with_its_offset(moment: str, words: str) -> None:
    assert wall(at(moment)) == words


@pytest.mark.parametrize("text", ["", "nonsense", "1999-12-31", "2100-01-01", "9999-12-31", "2026-02-30"])
def test_a_day_that_is_none_is_the_other_one(text: str) -> None:
    assert day_typed(text, otherwise=MONDAY.date()) == MONDAY.date()
    assert day_typed("2027-02-28", otherwise=MONDAY.date()) == date(2027, 2, 28)


def test_what_is_suggested_is_free_in_school_hours_and_leaves_time_to_read() -> None:
    taken = (MONDAY + timedelta(hours=1), MONDAY + timedelta(days=1, hours=-1))
    found = free_slots(USUAL, taken, now=MONDAY)
    assert [f"{london(moment):%d %H:%M}" for moment in found] == [
        "23 11:00", "23 12:00", "24 09:00", "24 12:00", "25 08:00", "25 12:00",
    ]  # fmt: skip
    for moment in found:
        assert USUAL.is_open(moment)
        assert moment >= MONDAY + timedelta(hours=1)
        assert all(abs(moment - other) > CLOSE for other in taken)


def test_nothing_is_suggested_outside_the_terms() -> None:
    terms = SchoolHours(terms=((date(2027, 1, 5), date(2027, 2, 12)),))
    assert london(free_slots(terms, (), now=MONDAY)[0]).date() == date(2027, 1, 5)
    assert free_slots(SchoolHours(terms=((date(2026, 1, 5), date(2026, 2, 12)),)), (), now=MONDAY) == ()


def test_what_is_suggested_keeps_its_hour_when_the_clocks_change() -> None:
    found = free_slots(USUAL, (), now=at("2026-10-23T20:00"), count=2)
    assert [f"{london(moment):%a %H:%M}" for moment in found] == ["Mon 08:00", "Mon 12:00"]
    assert found[0] == at("2026-10-26T08:00")
