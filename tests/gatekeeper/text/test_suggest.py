"""Every suggested wording is honest: it fits where it is put, and what was found is gone."""

from collections.abc import Callable
from functools import partial

import pytest

from gatekeeper.text.checker import Hit
from gatekeeper.text.rules import rules
from gatekeeper.text.suggest import Entry, OwnWords, Suggestion, book, suggest
from tests.fixtures.effort import effort

Check = Callable[..., list[Hit]]
OWN = OwnWords(
    phone="01632 960000",
    email="office@elmtree.example",
    handle="ElmTreePri",
    rooms=("Wagtail", "Plover", "Curlew", "Heron"),
)


def offered(check: Check, text: str, own: OwnWords = OWN) -> list[tuple[str, Suggestion | None]]:
    return [(hit.rule, suggest(hit.rule, text, hit.start, hit.end, own)) for hit in check(text)]


@pytest.mark.parametrize("entry", book().entries, ids=lambda entry: entry.rules[0])
def test_after_the_replacement_nothing_of_that_rule_is_left(check: Check, entry: Entry) -> None:
    assert set(entry.rules) <= set(rules())
    found = [(rule, one) for rule, one in offered(check, entry.hit) if rule in entry.rules]
    assert found, check(entry.hit)
    (rule, one), *_ = found
    assert one is not None
    assert one.applied(entry.hit) == entry.becomes
    assert [hit for hit in check(entry.becomes) if hit.rule == rule or hit.severity == "block"] == []


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("Wren Castleton made a cake.", "A pupil in our school made a cake."),
        ("Look! Wren Castleton’s cake.", "Look! A pupil’s cake."),
        ("Well done Wren Castleton!", "Well done to a pupil in our school!"),
        ("Congratulations, Wren Castleton!", "Congratulations to a pupil in our school!"),
        ("🎂🎂 cake by Wren Castleton 🎂", "🎂🎂 cake by a pupil in our school 🎂"),
        ("A pupil in our school and Wren Castleton won.", "A pupil in our school and another pupil won."),
        ("Wren in Year 2 made it.", "A pupil in Year 2 made it."),
    ],
)
def test_the_words_fit_what_stands_around_them(check: Check, text: str, becomes: str) -> None:
    first = next(one for rule, one in offered(check, text) if rule.startswith("pupil-name"))
    assert first is not None
    assert first.applied(text) == becomes


@pytest.mark.parametrize(
    "text",
    [
        "Our Wren Castleton made a cake.",
        "Hello Wren Castleton!",
        "Follow @wrencastleton today.",
        "What the shit is this.",
        "Year 4 walk to the swimming baths every Friday at 2pm.",
        "On Friday our choir will sing in the town square at noon and walk back at 1pm.",
    ],
)
def test_nothing_is_suggested_where_it_would_not_be_honest(check: Check, text: str) -> None:
    found = offered(check, text)
    assert found
    assert {one for _, one in found} == {None}


def test_cannot_suggest_a_number_that_the_school_has_not_given(check: Check) -> None:
    found = offered(check, "Ring 07700 900123 about the cakes, or write to kit@gmail.com.", OwnWords())
    assert len(found) == 2
    assert {one for _, one in found} == {None}


@pytest.mark.parametrize("place", [(None, None), (3, 3), (-1, 2), (0, 999), (5, 2)])
def test_a_place_outside_the_text_brings_no_suggestion(place: tuple[int | None, int | None]) -> None:
    assert suggest("pupil-name-full", "Wren Castleton", *place, OWN) is None


@pytest.mark.parametrize("filler", ["\n", "a", " ", ". ", "well done ", "on ", "at by ", "1 ", "on 1", "dm "])
def test_a_long_text_takes_little_work(filler: str) -> None:
    text = filler * (20_000 // len(filler)) + "Wren Castleton"
    assert effort(lambda: suggest("pupil-name-full", text, len(text) - 14, len(text), OWN)) < 20
    for rule in ("pupil-planned-location", "pupil-dm-invite"):
        assert effort(partial(suggest, rule, text, 0, len(text), OWN)) < 20


def test_a_rule_of_the_school_itself_brings_no_suggestion() -> None:
    assert suggest("school-own-rule", "Wren Castleton", 0, 4, OWN) is None
