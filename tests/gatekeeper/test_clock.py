"""London's wall clock and the moments it means."""

from datetime import UTC, datetime

import pytest

from gatekeeper.clock import AmbiguousTime, SystemClock, london, resolve_london
from gatekeeper.errors import BadInput


def test_a_winter_time_is_utc() -> None:
    assert resolve_london(datetime(2026, 12, 1, 15, 30)) == datetime(2026, 12, 1, 15, 30, tzinfo=UTC)


def test_a_summer_time_is_an_hour_behind() -> None:
    assert resolve_london(datetime(2026, 7, 1, 15, 30)) == datetime(2026, 7, 1, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize("minute", [0, 30, 59])
def test_the_hour_skipped_in_march_is_refused(minute: int) -> None:
    with pytest.raises(BadInput, match="clocks go forward") as refused:
        resolve_london(datetime(2027, 3, 28, 1, minute))
    assert "due" in refused.value.fields


def test_the_doubled_hour_in_october_is_asked_about() -> None:
    with pytest.raises(AmbiguousTime):
        resolve_london(datetime(2026, 10, 25, 1, 30))


def test_the_doubled_hour_means_what_was_answered() -> None:
    wall = datetime(2026, 10, 25, 1, 30)
    assert resolve_london(wall, fold=0) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert resolve_london(wall, fold=1) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_the_computers_clock_is_aware_and_shown_as_london_reads_it() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert london(datetime(2026, 7, 1, 14, 30, tzinfo=UTC)).hour == 15
