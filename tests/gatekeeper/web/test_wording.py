"""Moments as pages spell them: near ones by their day, and how long there is left, never too much."""

from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.web.wording import left, listed, soon

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(seconds=-90), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=119), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(minutes=60), "1 hour"),
        (timedelta(minutes=130), "2 hours 10 minutes"),
        (timedelta(hours=3, minutes=59), "3 hours"),
        (timedelta(hours=47, minutes=59), "47 hours"),
        (timedelta(hours=71), "2 days"),
    ],
    ids=str,
)
def test_what_is_left_is_never_said_to_be_more_than_it_is(ahead: timedelta, words: str) -> None:
    assert left(NOW + ahead, NOW) == words


@pytest.mark.parametrize(
    ("moment", "inside", "words"),
    [
        (datetime(2026, 11, 23, 15, 30, tzinfo=UTC), False, "Today, 15:30"),
        (datetime(2026, 11, 23, 15, 30, tzinfo=UTC), True, "today, 15:30"),
        (datetime(2026, 11, 24, 0, 5, tzinfo=UTC), True, "tomorrow, 00:05"),
        (datetime(2026, 11, 22, 23, 59, tzinfo=UTC), False, "Yesterday, 23:59"),
        (datetime(2026, 11, 25, 9, tzinfo=UTC), True, "Wed 25 Nov 2026, 09:00"),
    ],
    ids=["today", "inside", "tomorrow", "yesterday", "later"],
)
def test_near_moments_are_told_by_their_day(moment: datetime, inside: bool, words: str) -> None:
    assert soon(moment, NOW, inside=inside) == words


def test_the_day_is_the_schools_and_not_the_computers() -> None:
    """At a quarter past midnight in London it is still the day before in UTC in summer."""
    night = datetime(2026, 6, 30, 23, 15, tzinfo=UTC)
    assert soon(night, night - timedelta(minutes=5)) == "Today, 00:15"
    assert soon(night, night - timedelta(minutes=30)) == "Tomorrow, 00:15"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], ""),
        (["X"], "X"),
        (["X", "Facebook"], "X and Facebook"),
        (["X", "Facebook", "LinkedIn"], "X, Facebook and LinkedIn"),
    ],
    ids=["none", "one", "two", "three"],
)
def test_several_words_are_listed_as_people_say_them(words: list[str], said: str) -> None:
    assert listed(words) == said
