"""The periods that came with Gatekeeper, and what a school may make of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.policy import retention

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_every_class_says_what_since_when_how_long_and_why() -> None:
    for one in retention.classes().values():
        assert one.sentence.endswith("."), one.id
        assert one.why.endswith("."), one.id
        assert one.least <= one.days <= retention.MOST, one.id
        assert one.since, one.id


def test_the_documentation_lists_every_class_with_its_period() -> None:
    page = (Path(retention.__file__).parents[1] / "docs" / "retention.md").read_text()
    for one in retention.classes().values():
        never = " or without an end" if one.never else ""
        assert f"| {one.name} | {one.days:,} | {one.least:,}{never} | {one.since} |" in page, one.id


def test_originals_and_rejected_posts_go_first() -> None:
    assert list(retention.classes())[:2] == ["originals", "rejected"]


def test_only_what_the_law_lets_one_keep_may_be_kept_without_an_end() -> None:
    assert {one.id for one in retention.classes().values() if one.never} == {"audit", "breaches"}


@pytest.mark.parametrize(
    ("stored", "days"),
    [
        ({}, 30),
        ({"rejected": 7}, 7),
        ({"rejected": 6}, 30),
        ({"rejected": 40_000}, 30),
        ({"rejected": None}, 30),
        ({"rejected": True}, 30),
        ({"rejected": "7"}, 30),
        ({"other": 7}, 30),
    ],
    ids=str,
)
def test_a_period_that_may_not_be_chosen_counts_as_not_chosen(stored: dict[str, Any], days: int) -> None:
    assert retention.days_for(stored, "rejected") == days
    assert retention.before(stored, "rejected", now=NOW) == NOW - timedelta(days=days)


def test_what_is_kept_without_an_end_ends_before_no_moment() -> None:
    assert retention.days_for({"audit": None}, "audit") is None
    assert retention.before({"audit": None}, "audit", now=NOW) is None
