"""He and she where nobody has been named: one child is meant, and the reader is asked."""

from collections.abc import Callable

import pytest

from gatekeeper.text.checker import Hit
from gatekeeper.text.passage import read
from gatekeeper.text.unnamed import unnamed

Check = Callable[..., list[Hit]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("His helper pushed the trolley and he waved.", ["his", "he"]),
        ("Home at last, and she is smiling again.", ["she"]),
        ("An ambulance came for one of the juniors. He is fine.", ["he"]),
        ("In Year 4 she found her voice.", ["she", "her"]),
        ("Miss Elm lost her whistle.", []),
        ("With her whistle in her hand, Miss Elm led the way.", []),
        ("Our tortoise is asleep. He snores.", []),
        ("Bramble is on holiday. He sends a postcard.", []),
        ("Bring your child in his or her boots.", []),
        ("If a child is unwell she should stay at home.", []),
        ("She sailed alone! We read it in the book by Dame Nora.", []),
        ("", []),
    ],
)
def test_a_pronoun_is_unexplained_when_nobody_stands_before_it(text: str, words: list[str]) -> None:
    passage = read("text", text)
    assert [passage.words[at] for at in unnamed(passage, (), ())] == words


def test_a_known_name_explains_and_the_name_of_a_class_does_not() -> None:
    passage = read("text", "Plover cheered when he sang.")
    assert [passage.words[at] for at in unnamed(passage, {0}, ())] == []
    assert [passage.words[at] for at in unnamed(passage, (), {0})] == ["he"]


@pytest.mark.parametrize("account", ["school", "staff"])
def test_the_reader_of_a_school_post_is_asked_who_is_meant(check: Check, account: str) -> None:
    rules = {hit.rule for hit in check("Swimming again after the long winter, and he beamed.", account=account)}
    assert ("pupil-singled-out" in rules) is (account == "school")


@pytest.mark.parametrize(
    "text",
    [
        "Year 5 watched the full moon rise over our field.",
        "Plover made potato prints.",
        "Our cook hates waste, so the peelings go to the rabbits.",
        "Two dads fixed the shed. Heroes!",
        "In RE, Year 2 compared two festivals.",
        "The officer talked to Key Stage 2 about road safety.",
        "Leave your buggy by the fence.",
        "Heron are in our library now and it is very quiet.",
        "Our choir sang at the care home last Thursday.",
        "A child's scooter was left by the shed.",
    ],
)
def test_words_that_are_innocent_here_stop_nobody(check: Check, text: str) -> None:
    assert check(text) == []
