"""What is worth a second look about a time: said in a sentence, for each reader no more than they may know."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gatekeeper.policy.calendar import CLOSE
from gatekeeper.policy.hours import SchoolHours
from gatekeeper.policy.soft_rules import MOST_A_DAY, REMEMBERED, Plan, Planned, about_time

TERMS = SchoolHours(terms=((date(2026, 9, 3), date(2026, 12, 18)),))
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
NAMES = {1: "X", 2: "Facebook"}
HARVEST = "Our harvest table is full. Thank you to every family who brought something!"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def post(number: int, due: datetime = NOON, *channels: int, title: str = "Harvest", text: str = "") -> Planned:
    return Planned(id=number, due=due, channels=channels or (1,), title=title, text=text)


def remarks(mine: Planned, *others: Planned) -> dict[str, str]:
    plan = Plan([mine, *others], hours=TERMS, channels=NAMES)
    return {one.rule: one.sentence for one in plan.remarks(mine)}


@pytest.mark.parametrize(
    ("due", "rules"),
    [
        ("2026-11-25T12:00", []),
        ("2026-11-25T17:00", ["hours"]),
        ("2026-11-25T07:59", ["hours"]),
        ("2026-11-25T21:00", ["night"]),
        ("2026-11-25T05:59", ["night"]),
        ("2026-11-28T12:00", ["weekend"]),
        ("2026-12-21T12:00", ["term"]),
        ("2026-12-26T23:00", ["term", "weekend", "night"]),
        ("2026-09-03T07:00", []),  # eight in the morning on the wall, in summer time
        ("2026-09-03T16:00", ["hours"]),
        ("2026-10-25T01:30", ["weekend", "night"]),
    ],
)
def test_the_school_day_speaks_of_a_time(due: str, rules: list[str]) -> None:
    assert [one.rule for one in about_time(at(due), TERMS)] == rules


def test_without_terms_every_week_is_a_school_week() -> None:
    assert about_time(at("2026-08-12T10:00"), SchoolHours()) == ()


@pytest.mark.parametrize(
    ("apart", "sentence"),
    [
        (timedelta(0), "It goes to X at the same time as “Other”."),
        (timedelta(minutes=1), "It goes to X 1 minute before “Other”."),
        (-CLOSE, "It goes to X 30 minutes after “Other”."),
        (CLOSE + timedelta(seconds=1), None),
    ],
    ids=["same", "before", "after", "apart"],
)
def test_posts_close_to_each_other_on_a_channel_are_named(apart: timedelta, sentence: str | None) -> None:
    assert remarks(post(1), post(2, NOON + apart, title="Other")).get("collision") == sentence


def test_another_channel_is_no_collision_and_two_are_both_named() -> None:
    assert "collision" not in remarks(post(1, NOON, 1), post(2, NOON, 2))
    assert remarks(post(1, NOON, 1, 2), post(2, NOON, 2, 1))["collision"].startswith("It goes to X and Facebook at")


def test_two_moments_of_the_doubled_hour_are_an_hour_apart() -> None:
    assert "collision" not in remarks(post(1, at("2026-10-25T00:30")), post(2, at("2026-10-25T01:30")))


def test_a_post_of_which_nothing_may_be_told_stays_nameless() -> None:
    assert remarks(post(1), post(2, title=""))["collision"] == "It goes to X at the same time as another post."


def test_more_than_a_few_posts_a_day_are_told_and_counted_once() -> None:
    others = [post(number, NOON + timedelta(hours=number - 5)) for number in range(2, 2 + MOST_A_DAY)]
    assert "crowded" not in remarks(post(1), *others[:-1])
    assert remarks(post(1), *others)["crowded"].startswith(f"{MOST_A_DAY + 1} posts go to X on this day")
    elsewhere = Plan(others, hours=TERMS, channels=NAMES)
    moved = elsewhere.remarks(post(2, NOON + timedelta(hours=2)))  # on the same day: it is not one more
    assert "crowded" not in {one.rule for one in moved}


@pytest.mark.parametrize(
    "text", [HARVEST, HARVEST.upper(), f"  {HARVEST.replace(' ', chr(10))} "], ids=["same", "capitals", "lines"]
)
def test_the_same_words_are_a_repeat(text: str) -> None:
    other = post(2, NOON - timedelta(days=3), title="Old", text=text)
    assert remarks(post(1, text=HARVEST), other)["repeat"] == "It has the same words as “Old” of 22 November."


def test_nearly_the_same_words_are_told_as_that() -> None:
    other = post(2, NOON + timedelta(days=1), text=HARVEST.replace("something", "plenty"))
    assert remarks(post(1, text=HARVEST), other)["near-repeat"].startswith("It has nearly the same words as “Harvest”")


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (HARVEST, "Our harvest table was a joy. Come and see what Year 3 grew in the garden!"),
        ("See you on Friday!", "See you on Monday!"),
        ("", ""),
    ],
    ids=["other", "short", "empty"],
)
def test_other_words_are_no_repeat(mine: str, theirs: str) -> None:
    found = remarks(post(1, text=mine), post(2, NOON + timedelta(days=2), text=theirs))
    assert not {"repeat", "near-repeat"} & set(found)


def test_words_of_long_ago_are_a_reminder_and_no_repeat() -> None:
    other = post(2, NOON - REMEMBERED - timedelta(seconds=1), text=HARVEST)
    assert "repeat" not in remarks(post(1, text=HARVEST), other)


def test_a_post_never_collides_with_itself() -> None:
    assert remarks(post(1, text=HARVEST)) == {}
