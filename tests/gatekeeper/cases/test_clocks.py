"""Seventy-two hours are seventy-two hours; thirty days are thirty days on the school's wall, whatever the clocks do."""

from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.cases.clocks import ACKNOWLEDGE, PEOPLE, REPORT, days_later, due_in, last_weekday, reached
from gatekeeper.cases.model import CaseKind
from gatekeeper.clock import london

H = timedelta(hours=1)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]  # year, month, day, hour, minute


@pytest.mark.parametrize(
    ("aware", "wall"),
    [
        (at(2026, 11, 23, 9, 0), "Thu 26 09:00"),
        (at(2026, 10, 23, 14, 0), "Mon 26 14:00"),  # 15:00 summer time; the clocks go back on the 25th
        (at(2027, 3, 26, 15, 0), "Mon 29 16:00"),  # the clocks go forward on the 28th
        (at(2026, 11, 27, 17, 30), "Mon 30 17:30"),  # over a weekend, which counts in full
        (at(2026, 12, 23, 12, 0), "Sat 26 12:00"),  # over Christmas, which counts in full
    ],
    ids=["a week", "clocks back", "clocks forward", "weekend", "holidays"],
)
def test_a_breach_is_due_seventy_two_real_hours_later(aware: datetime, wall: str) -> None:
    (due,) = due_in(CaseKind.BREACH, began_at=aware)
    assert due.name == REPORT
    assert due.at - aware == timedelta(hours=72)
    assert f"{london(due.at):%a %d %H:%M}" == wall


def test_where_the_risk_is_high_the_people_are_told_by_the_same_moment() -> None:
    dues = due_in(CaseKind.BREACH, began_at=at(2026, 11, 23, 9), high_risk=True)
    assert [one.name for one in dues] == [REPORT, PEOPLE]
    assert dues[0].at == dues[1].at


@pytest.mark.parametrize(
    ("arrived", "wall"),
    [
        (at(2026, 11, 23, 9, 0), "Wed 23 Dec 09:00"),
        (at(2026, 10, 1, 8, 30), "Sat 31 Oct 09:30"),  # 09:30 summer time stays 09:30 on the wall
        (at(2027, 3, 1, 10, 0), "Wed 31 Mar 10:00"),
        (at(2027, 2, 26, 1, 30), "Sun 28 Mar 02:30"),  # 01:30 does not exist that night: the hour after it
    ],
    ids=["a month", "clocks back", "clocks forward", "the skipped hour"],
)
def test_a_complaint_is_due_at_the_same_time_of_day_thirty_days_later(arrived: datetime, wall: str) -> None:
    (due,) = due_in(CaseKind.COMPLAINT, began_at=arrived)
    assert due.name == ACKNOWLEDGE
    assert f"{london(due.at):%a %d %b %H:%M}" == wall
    assert due.at.tzinfo is UTC


def test_days_are_counted_on_the_wall() -> None:
    assert days_later(at(2026, 10, 24, 9), 2) == at(2026, 10, 26, 10)


@pytest.mark.parametrize(
    ("before", "count"),
    [(49 * H, 0), (48 * H, 1), (30 * H, 1), (24 * H, 2), (7 * H, 2), (6 * H, 3), (H, 3), (0 * H, 4), (-5 * H, 4)],
    ids=str,
)
def test_warnings_fall_due_at_forty_eight_twenty_four_and_six_hours_and_when_it_is_over(
    before: timedelta, count: int
) -> None:
    due = at(2026, 11, 26, 9)
    assert reached(due, due - before) == count


def test_an_end_on_a_weekend_is_told_with_the_friday_before() -> None:
    assert last_weekday(at(2026, 11, 28, 9)) == at(2026, 11, 27, 9)
    assert last_weekday(at(2026, 11, 29, 23, 30)) == at(2026, 11, 27, 23, 30)
    assert last_weekday(at(2026, 11, 27, 9)) is None
    # a quarter to midnight on Friday in UTC is Saturday on the wall in summer
    assert last_weekday(at(2026, 7, 3, 23, 45)) == at(2026, 7, 2, 23, 45)


def test_what_nobody_set_a_time_for_has_no_clock() -> None:
    now = at(2026, 11, 23, 9)
    for kind in (CaseKind.ADVICE, CaseKind.CONCERN, CaseKind.ENQUIRY, CaseKind.REMOVAL):
        assert due_in(kind, began_at=now) == ()
