"""Marks as the decision page sends them: each has a place that exists and words, or nothing is taken and all is kept."""

from datetime import UTC, datetime

import pytest

from approvals.statements import Mark
from gatekeeper.posts.digest import Content, PhotoContent
from gatekeeper.workflow.conversation import MOST_MARKS, MarksUnclear, read_marks

CONTENT = Content(
    text="Our harvest table is full.",
    photos=(PhotoContent(sha256="a" * 64, alt="A full table"),),
    channels=(),
    due=datetime(2026, 11, 24, tzinfo=UTC),
    window_minutes=120,
)
FACES = {1: [1, 2]}


def read(**fields: str) -> tuple[Mark, ...]:
    return read_marks(CONTENT, {name.replace("_", "-"): words for name, words in fields.items()}, faces=FACES)


def refused(**fields: str) -> dict[str, str]:
    with pytest.raises(MarksUnclear) as unclear:
        read(**fields)
    return unclear.value.fields


def test_marks_are_read_in_the_order_of_the_page() -> None:
    assert read(
        mark_where_10="time", mark_words_10="an hour later", mark_where_2="text:4-11", mark_words_2=" say autumn ",
        mark_where_3="photo:1:face:2", mark_words_3="cover her please", statement="And thank you.",
    ) == (
        Mark("text:4-11", "say autumn"), Mark("photo:1:face:2", "cover her please"), Mark("time", "an hour later"),
    )  # fmt: skip


def test_without_a_script_the_words_are_quoted() -> None:
    assert read(mark_where_1="text", mark_quote_1="HARVEST  table", mark_words_1="say autumn") == (
        Mark("text:4-17", "say autumn"),
    )
    assert read(mark_where_1="alt:1", mark_words_1="say whose it is") == (Mark("alt:1:0-12", "say whose it is"),)


def test_an_empty_row_is_no_mark() -> None:
    assert read(mark_where_1="", mark_words_1=" ", mark_quote_1="") == ()
    assert read() == ()


def test_a_mark_that_was_taken_away_without_a_script_is_no_mark() -> None:
    assert read(mark_where_1="text:0-3", mark_words_1="say autumn", mark_drop_1="yes") == ()


@pytest.mark.parametrize(
    "where",
    ["text:0-99", "text:5-5", "alt:2:0-1", "photo:2", "photo:1:face:9", "photo:0:face:1", "javascript:", "text:1-2;x"],
)
def test_cannot_mark_a_place_that_this_version_does_not_have(where: str) -> None:
    assert list(refused(mark_where_4=where, mark_words_4="change this")) == ["mark-where-4"]


@pytest.mark.parametrize("words", ["", "!!", "ok"])
def test_cannot_mark_without_saying_what_should_change(words: str) -> None:
    assert list(refused(mark_where_1="text:0-3", mark_words_1=words)) == ["mark-words-1"]


def test_a_quote_that_is_not_there_is_told_at_the_quote() -> None:
    assert list(refused(mark_where_1="text", mark_quote_1="autumn", mark_words_1="change this")) == ["mark-quote-1"]


def test_words_without_a_place_are_asked_for_their_place() -> None:
    assert list(refused(mark_words_1="change this")) == ["mark-where-1"]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = refused(mark_where_1="text:0-99", mark_words_1="change", mark_where_2="time", mark_words_3="change")
    assert list(told) == ["mark-where-1", "mark-words-2", "mark-where-3"]


def test_more_marks_than_anybody_makes_are_refused() -> None:
    fields = {f"mark_{part}_{n}": "time" for n in range(1, MOST_MARKS + 2) for part in ("where", "words")}
    assert list(refused(**fields)) == ["statement"]
