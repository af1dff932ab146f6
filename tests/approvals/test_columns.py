from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from approvals.columns import UtcDateTime, UtcText, utc_text
from approvals.wall_clock import when

NAIVE = datetime(2026, 11, 23, 9, 0)
INDIA = datetime(2026, 11, 23, 14, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))


@pytest.mark.parametrize("column", [UtcDateTime(), UtcText()])
def test_a_naive_time_is_refused(column: UtcDateTime | UtcText) -> None:
    with pytest.raises(ValueError, match="naive"):
        column.process_bind_param(NAIVE, sqlite.dialect())


@pytest.mark.parametrize("column", [UtcDateTime(), UtcText()])
@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()])
def test_a_moment_comes_back_in_utc_and_nothing_stays_nothing(
    column: UtcDateTime | UtcText, dialect: sqlite.dialect
) -> None:
    back = column.process_result_value(column.process_bind_param(INDIA, dialect), dialect)
    assert back == INDIA
    assert back is not None
    assert back.tzinfo is UTC
    assert column.process_bind_param(None, dialect) is None
    assert column.process_result_value(None, dialect) is None


def test_a_hashed_moment_is_spelt_in_one_way_and_sorts() -> None:
    assert utc_text(INDIA) == "2026-11-23T09:00:00.000000+00:00"
    assert utc_text(INDIA) < utc_text(INDIA + timedelta(microseconds=1))


def test_people_read_the_schools_clock() -> None:
    assert when(datetime(2026, 3, 29, 0, 59, tzinfo=UTC)) == "Sunday 29 March 2026 at 00:59"
    assert when(datetime(2026, 3, 29, 1, 0, tzinfo=UTC)) == "Sunday 29 March 2026 at 02:00"
