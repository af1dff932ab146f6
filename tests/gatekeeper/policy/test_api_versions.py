"""The end of a version is known in time, and a version whose end nobody named raises no alarm."""

from datetime import date

import pytest

from gatekeeper.policy.api_versions import SETTING, alarm, ends_on, version_sentence

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("kind", "version", "end"),
    [
        ("facebook", "v24.0", date(2028, 2, 18)),
        ("facebook", "v25.0", date(2028, 7, 29)),
        ("facebook", "v26.0", None),
        ("linkedin", "202607", date(2027, 7, 1)),
        ("linkedin", "202612", date(2027, 12, 1)),
        ("linkedin", "soon", None),
        ("x", "2", None),
    ],
)
def test_the_end_of_a_version(kind: str, version: str, end: date | None) -> None:
    assert ends_on(kind, version) == end


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2027, 12, 19), ""),
        (date(2027, 12, 20), "stops speaking version v24.0 of its interface on 18 February 2028"),
        (date(2028, 2, 17), "stops speaking"),
        (date(2028, 2, 18), "need not speak version v24.0"),
    ],
)
def test_the_alarm_comes_sixty_days_before(today: date, words: str) -> None:
    said = alarm("facebook", "v24.0", today=today)
    assert words in said
    assert bool(said) == bool(words)
    assert ("GATEKEEPER_GRAPH_VERSION" in said) == bool(words)


def test_linkedins_year_ends_with_an_alarm_too() -> None:
    assert alarm("linkedin", "202607", today=TODAY) == ""
    assert "202607" in alarm("linkedin", "202607", today=date(2027, 5, 2))


def test_no_alarm_where_nobody_named_an_end_and_one_where_it_is_long_past() -> None:
    assert alarm("facebook", "v26.0", today=date(2030, 1, 1)) == ""
    assert "has ended" in alarm("facebook", "v19.0", today=TODAY)
    assert alarm("x", "2", today=TODAY) == ""


def test_the_version_is_told_with_its_end() -> None:
    assert "until 29 July 2028" in version_sentence("facebook", "v25.0")
    assert "not been named" in version_sentence("facebook", "v26.0")
    assert version_sentence("x", "2") == ""
    assert set(SETTING) == {"facebook", "linkedin"}
