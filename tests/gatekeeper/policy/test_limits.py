"""What a post needs and what each channel takes, in sentences."""

from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.policy import limits

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"x": 280, "facebook": 5_000}, None),
        ({"x": 281}, "The text is 1 character too long for X, which takes 280."),
        ({"x": 280, "facebook": 6_200}, "The text is 1,200 characters too long for Facebook, which takes 5,000."),
    ],
)
def test_a_text_that_is_too_long_is_told_by_how_much(counts: dict[str, int], said: str | None) -> None:
    assert limits.text_sentence(counts) == said


def test_every_photo_needs_words() -> None:
    assert limits.alt_sentence("A table", 1) is None
    assert "photo 2 in words" in (limits.alt_sentence("  ", 2) or "")
    assert "1,001 characters" in (limits.alt_sentence("x" * 1_001, 1) or "")


@pytest.mark.parametrize("people", ["pupils", "adults", "both"])
def test_people_in_a_photo_need_a_basis(people: str) -> None:
    assert set(limits.declaration_sentences(people, " ", 1)) == {"basis"}
    assert set(limits.declaration_sentences(people, "x" * 301, 1)) == {"basis"}
    assert limits.declaration_sentences(people, "On the register", 1) == {}


def test_an_empty_photo_needs_no_basis_but_has_to_be_called_so() -> None:
    assert limits.declaration_sentences("none", "", 1) == {}
    assert set(limits.declaration_sentences("", "On the register", 1)) == {"people"}
    assert set(limits.declaration_sentences("dogs", "On the register", 1)) == {"people"}


@pytest.mark.parametrize(
    ("ahead", "notice", "said"),
    [
        (timedelta(minutes=5), limits.NOTICE, None),
        (timedelta(0), limits.NOTICE, "has passed"),
        (timedelta(minutes=4), limits.NOTICE, "at least 5 minutes"),
        (timedelta(minutes=1), timedelta(), None),
        (timedelta(days=367), limits.NOTICE, "more than a year"),
    ],
)
def test_a_time_leaves_the_headteacher_room(ahead: timedelta, notice: timedelta, said: str | None) -> None:
    sentence = limits.due_sentence(NOW + ahead, now=NOW, notice=notice)
    assert (said is None and sentence is None) or (said or "?") in (sentence or "")


def test_channels_have_to_be_open() -> None:
    assert limits.channel_sentence([("X", "open")]) is None
    assert limits.channel_sentence([]) == "Choose at least one channel."
    said = limits.channel_sentence([("@hill", "held"), ("Hill", "new"), ("Y", "open")])
    assert (said or "").startswith("@hill and Hill cannot be used now")


def test_a_kind_nobody_knows_is_called_what_it_is() -> None:
    assert (limits.label_of("x"), limits.label_of("blog")) == ("X", "blog")
