"""School hours: never at night, at weekends or outside term, and right on the days when the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from gatekeeper.clock import london
from gatekeeper.policy.hours import END, START, SchoolHours

USUAL = SchoolHours()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T07:59:59", False),  # a Monday in winter: London is UTC
        ("2026-11-23T08:00:00", True),
        ("2026-11-23T16:59:59", True),
        ("2026-11-23T17:00:00", False),
        ("2026-11-23T23:30:00", False),
        ("2026-11-21T10:00:00", False),  # Saturday
        ("2026-11-22T10:00:00", False),  # Sunday
        ("2026-06-01T07:00:00", True),  # a Monday in summer: eight o'clock on the wall
        ("2026-06-01T16:00:00", False),
    ],
)
def test_the_school_is_open_from_monday_to_friday_by_the_clock_on_its_wall(moment: str, is_open: bool) -> None:
    assert USUAL.is_open(at(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-23T10:00:00", "2026-11-23T10:00:00"),
        ("2026-11-23T05:00:00", "2026-11-23T08:00:00"),
        ("2026-11-23T17:00:00", "2026-11-24T08:00:00"),
        ("2026-11-20T18:00:00", "2026-11-23T08:00:00"),  # Friday evening to Monday morning
        ("2026-10-23T18:00:00", "2026-10-26T08:00:00"),  # over the night the clocks go back
        ("2026-03-27T18:00:00", "2026-03-30T07:00:00"),  # over the night the clocks go forward
    ],
)
def test_what_falls_outside_moves_to_the_start_of_the_next_school_day(moment: str, opens: str) -> None:
    moved = USUAL.next_open(at(moment), before=at(moment) + timedelta(days=7))
    assert moved == at(opens)
    assert moved is not None
    assert USUAL.is_open(moved)


def test_what_cannot_be_in_time_is_dropped() -> None:
    assert USUAL.next_open(at("2026-11-20T18:00:00"), before=at("2026-11-23T08:00:00")) is None
    assert USUAL.next_open(at("2026-11-23T10:00:00"), before=at("2026-11-23T10:00:00")) is None
    assert USUAL.next_open(at("2026-11-23T17:00:00"), before=at("2026-11-23T16:00:00")) is None


def test_outside_term_is_no_school_day_and_a_look_ahead_ends() -> None:
    term = (date(2026, 9, 3), date(2026, 12, 18))
    hours = SchoolHours(terms=(term, (date(2027, 1, 4), date(2027, 3, 26))))
    assert hours.is_open(at("2026-12-18T10:00:00"))
    assert not hours.is_open(at("2026-12-21T10:00:00"))
    assert hours.next_open(at("2026-12-19T10:00:00"), before=at("2027-02-01T00:00:00")) == at("2027-01-04T08:00:00")
    assert hours.next_open(at("2027-04-01T10:00:00"), before=at("2099-01-01T00:00:00")) is None
    assert hours.opening(date(2026, 12, 21)) is None


@pytest.mark.parametrize(
    "day",
    [
        None,
        {},
        {"start": "late", "end": "17:00"},
        {"start": "17:00", "end": "08:00"},
        {"start": "03:00", "end": "17:00"},  # night, whatever was set
        {"start": "08:00", "end": "23:30"},
        {"start": 8, "end": 17},
    ],
    ids=str,
)
def test_cannot_be_set_to_the_night_or_to_nonsense(day: Any) -> None:
    hours = SchoolHours.of({"school_day": day, "terms": [["2026-09-03"], ["x", "y"], ["2026-12-18", "2026-09-03"], 7]})
    assert (hours.start, hours.end, hours.terms) == (START, END, ())


def test_hours_and_terms_are_those_of_the_settings() -> None:
    hours = SchoolHours.of({"school_day": {"start": "07:30", "end": "18:15"}, "terms": [["2026-09-03", "2026-12-18"]]})
    assert (hours.start, hours.end) == (time(7, 30), time(18, 15))
    assert hours.terms == ((date(2026, 9, 3), date(2026, 12, 18)),)


def test_every_opening_of_two_years_is_at_the_set_hour_of_a_weekday() -> None:
    for ahead in range(731):
        day = date(2026, 1, 1) + timedelta(days=ahead)
        opening = USUAL.opening(day)
        assert (opening is None) == (day.weekday() > 4)
        if opening:
            assert (london(opening).date(), london(opening).time()) == (day, time(8))
