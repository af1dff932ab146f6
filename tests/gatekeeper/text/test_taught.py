"""Phrases taught to the check: more than a pupil's own name, and never stronger than the roll."""

import pytest

from gatekeeper.text.checker import Checker, Draft, Pupil
from tests.gatekeeper.text.conftest import PUPILS, SCHOOL, STAFF


def _found(text: str, *phrases: str, pupils: tuple[Pupil, ...] = PUPILS) -> list[str | None]:
    checker = Checker(pupils, STAFF, SCHOOL, known_phrases=phrases)
    return [hit.quote for hit in checker.check(Draft(text, (), "x", "school"))]


@pytest.mark.parametrize("phrase", ["Rose Tyler", "Imelda the Musical", "Hope Street", "Imelda's Garden", "Benny Hill"])
def test_a_phrase_with_a_word_of_its_own_may_be_taught(checker: Checker, phrase: str) -> None:
    assert not checker.names_a_pupil(phrase)


@pytest.mark.parametrize(
    "phrase",
    [
        "", "Rose", "Rose's", "Rose!", "Well done Rose", "clever Rose", "our brave Rose", "Rose and Hope", "Miss Rose",
        "Rose Tidemarsh", "Tidemarsh, Rose", "Lina Fennwick-Marsh", "Benny O'Quayle", "R0se Tidemarsh", "Rose Tidemarch",
        "Imelda from Plover", "Imelda in Year 2", "Rose T", "Rose 2026", "Rose and the Tidemarsh", "#RoseTidemarsh", "I. Brackwater",
    ],
)  # fmt: skip
def test_cannot_teach_a_pupils_own_name_in_any_form(checker: Checker, phrase: str) -> None:
    assert checker.names_a_pupil(phrase)


def test_a_taught_phrase_is_no_finding_and_the_name_alone_still_is() -> None:
    text = "Imelda the Musical was sung by Imelda. We loved Imelda the Musical's songs."
    assert _found(text) == ["Imelda", "Imelda", "Imelda"]
    assert _found(text, "Imelda the Musical") == ["Imelda"]
    assert _found("Imelda's Garden is open. Imelda waters it.", "Imelda's Garden") == ["Imelda"]


def test_a_phrase_gives_way_to_a_child_who_comes_to_bear_that_name() -> None:
    fresh = Pupil("p99", "Rose", "Tyler", "", "Year 1", "Wagtail", "")
    text = "Rose Tyler met the Daleks."
    assert _found(text, "Rose Tyler", pupils=(*PUPILS, fresh)) == ["Rose Tyler"]
