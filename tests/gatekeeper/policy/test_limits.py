"""What a post needs and what each channel takes, in sentences."""

from datetime import UTC, datetime, timedelta
from typing import Any

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
    assert limits.text_sentence(limits.Measure(counts=counts), photos=0) == said


def said_of(photos: int = 0, **measure: Any) -> list[tuple[str, str, str]]:
    found = limits.text_findings(limits.Measure(**measure), photos=photos)
    return [(one.severity, one.rule, one.sentence) for one in found]


def test_each_channel_asks_for_words_or_a_photo() -> None:
    measure: dict[str, Any] = {"counts": {"facebook": 0, "x": 0}, "empty": True}
    assert said_of(**measure) == [
        ("todo", "limit-empty", "A post on Facebook needs words or a photo."),
        ("todo", "limit-empty", "A post on X needs words or a photo."),
    ]
    assert said_of(photos=1, **measure) == []
    nothing = limits.Measure(counts={}, empty=True)
    assert limits.text_sentence(nothing, photos=0) == "Write the text of the post, or add a photo."
    assert limits.text_sentence(nothing, photos=1) is None


def test_what_a_link_costs_on_x_is_said_and_may_stand() -> None:
    (one,) = said_of(counts={"x": 30, "facebook": 30}, links=1)
    assert one == ("advice", "limit-link-price", "With a link this costs about $0.20 on X; without, $0.015.")
    assert said_of(counts={"x": 30}, links=3)[0][2].startswith("With 3 links")
    assert said_of(counts={"facebook": 30}, links=3) == []
    assert limits.text_sentence(limits.Measure(counts={"x": 30}, links=1), photos=0) is None


def test_naming_another_account_on_x_is_said_and_may_stand() -> None:
    (one,) = said_of(counts={"x": 30}, mentions=("@zoo", "@museum"))
    assert one[0] == "advice"
    assert "names another account: @zoo, @museum" in one[2]
    assert said_of(counts={"facebook": 30}, mentions=("@zoo",)) == []


def test_words_that_were_published_before_may_stand_and_are_told() -> None:
    assert [one[:2] for one in said_of(counts={"x": 3}, repeated=True)] == [("advice", "limit-repeated")]
    assert said_of(counts={}, repeated=True) == said_of(photos=1, counts={"x": 0}, empty=True, repeated=True) == []


def test_cannot_send_two_cashtags_to_x() -> None:
    assert said_of(counts={"x": 30}, cashtags=("$AB",)) == []
    assert limits.text_sentence(limits.Measure(counts={"x": 30}, cashtags=("$AB", "$CD")), photos=0) == (
        "X takes one “$” tag at most; this has 2."
    )
    assert said_of(counts={"facebook": 30}, cashtags=("$AB", "$CD")) == []


@pytest.mark.parametrize("sign", ["\ufeff", "\ufffe", "\uffff", "\x07", "\ud83d", "\u202e", "\u202d"], ids=ascii)
def test_cannot_send_a_sign_that_platforms_drop(sign: str) -> None:
    assert limits.has_unprintable(f"Our{sign} harvest")
    assert "invisible" in (limits.alt_sentence(f"A{sign} table", 1) or "")
    assert "invisible" in (limits.text_sentence(limits.Measure(counts={"x": 3}, unprintable=True), photos=0) or "")


def test_ordinary_signs_are_not_called_invisible() -> None:
    assert not limits.has_unprintable("One\nTwo\tthree 🎃 👩‍🏫 עברית \u200d\u200f")


def test_cannot_send_more_photos_than_every_channel_takes() -> None:
    assert limits.photo_findings(["A table"] * 4) == ()
    (one,) = limits.photo_findings(["A table"] * 5)
    assert (one.severity, one.field, one.sentence) == ("block", "images", "A post takes 4 photos at most.")


def test_a_description_not_yet_written_is_still_to_do_and_one_too_long_cannot_stand() -> None:
    found = limits.photo_findings(["A table", " ", "x" * 1_001])
    assert [(one.severity, one.field) for one in found] == [("todo", "images[1].alt"), ("block", "images[2].alt")]


def test_a_description_is_counted_as_the_channels_count_it() -> None:
    """An emoji is two: a description of 501 of them was let through once, and failed after the approval."""
    assert limits.alt_sentence("🎃" * 500, 1) is None
    assert "1,002 characters" in (limits.alt_sentence("🎃" * 501, 1) or "")


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
