"""The school day and the terms as they are typed: what cannot be read, or is night, is refused with a sentence."""

from datetime import time

import pytest

from gatekeeper.errors import BadInput
from gatekeeper.policy.hours import SchoolHours
from gatekeeper.workflow.school_day import school_day_of, terms_as_typed, terms_of


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (None, time(17), "day_start"),
        (time(8), None, "day_end"),
        (time(5, 59), time(17), "day_start"),
        (time(8), time(21, 1), "day_end"),
        (time(17), time(8), "day_end"),
        (time(8), time(8), "day_end"),
    ],
    ids=str,
)
def test_cannot_make_the_night_a_school_day(start: time | None, end: time | None, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        school_day_of(start, end)
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize("line", ["3 September to 18 December", "03/09/2026", "18/12/2026 to 03/09/2026", "a to b", "1/1/2026 to 2/2/2026 to 3/3/2026"])  # fmt: skip
def test_a_line_that_is_no_term_is_refused(line: str) -> None:
    with pytest.raises(BadInput) as refused:
        terms_of(line)
    assert list(refused.value.fields) == ["terms"]


def test_what_was_typed_comes_back_as_it_was_and_counts() -> None:
    typed = "04/01/2027 to 26/03/2027\n\n2026-09-03 - 18 December 2026"
    stored = terms_of(typed)
    assert stored == [["2026-09-03", "2026-12-18"], ["2027-01-04", "2027-03-26"]]
    assert terms_of(terms_as_typed(stored)) == stored
    day = school_day_of(time(7, 30), time(18))
    hours = SchoolHours.of({"school_day": day, "terms": stored})
    assert (hours.start, hours.end, len(hours.terms)) == (time(7, 30), time(18), 2)
