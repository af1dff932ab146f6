"""X's weighted length, case by case.

The cases restate the published conformance cases of twitter-text (conformance/validate.yml,
Apache-2.0), with the figures of configuration version 3; the rest says where we count more on purpose.
"""

import json
from functools import partial

import pytest

from gatekeeper.text.weight import CONFIG, LIMIT, x_weight
from tests.fixtures.effort import effort


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("This is a test.", 15),
        ("http://test.com", 23),
        ("https://test.com", 23),
        ("test.com", 23),
        ("t.co", 23),
        ("Test https://test.com test https://test.com test.com test", 86),
        ("https://example.com/path/to/resource?search=foo&lang=en", 23),
        ("HTTPS://www.ExaMPLE.COM/index.html", 23),
        ("\U00010000\U0010ffff", 4),
        ("저찀쯿쿿", 8),
        ("H🐱☺", 5),
        ("の" * 140, 280),
        ("🐱" * 140, 280),
        ("lié géts arøünd", 15),
        ("e\u0301", 1),
        ("‘quoted’ – “text”", 17),
        ("👨‍👩‍👧‍👦", 2),
        ("👨‍👩‍👦", 2),
        ("🧑🏽‍🏫", 2),
        ("🙋🏽‍♀️", 2),
        ("👍🏾", 2),
        ("❤️", 2),
        ("🏳️‍🌈", 2),
        ("🇬🇧", 2),
        ("🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f", 2),
        ("1️⃣", 2),
        ("ашок", 4),
        ("One.\nTwo.", 9),
    ],
)
def test_counts_as_published(text: str, weight: int) -> None:
    assert x_weight(text) == weight


TENS = "xxxxxxxxxx-"


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("Hi http://test.co", 26),
        ("http://test.co", 23),
        ("285 chars-" + TENS * 25, 285),
        ("285 chars- http://www.twitter.com/jack " + TENS * 24, 11 + 23 + 1 + 264),
        (TENS * 24 + " http://www.twitter.com/jack ", 289),
        ("https://www.twitter.com/aloha " * 10, 240),
        ("故人西辞黄鹤楼，" * 20, 320),
        ("😷" * 160, 320),
        ("the" + "故人西辞黄鹤楼，" * 20, 323),
        ("A\u0301B", 2),
        ("A\ufb2c", 4),
        ("282 chars-" + TENS * 24 + "xxxxxA\u0301x", 281),
        ("😷👾😡🔥💩", 10),
        ("#트위터", 7),
        ("#ашок", 5),
        ("http://twitter.com/#!/twitter", 23),
        ("http://example.com/Русские_слова", 23),
        ("https://www.youtube.com/playlist?list=PL0ZPu8XSRTB7wZzn0mLHMvyzVFeRxbWn-", 23),
        ("foo.co.jp", 23),
        (
            (
                "This is a tweet with general punctuation characters: \u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
                "\u200a\u200b\u200c\u200d ‐ ‑ ‒ – — ― ‖  ‗ ‘ ’ ‚ ‛ “ ” „ ‟ ′ ″ ‴ ‵ ‶ ‷"
            ),
            112,
        ),
    ],
    ids=range(20),
)
def test_counts_the_weighted_conformance_cases_as_published(text: str, weight: int) -> None:
    assert x_weight(text) == weight


@pytest.mark.parametrize(
    ("text", "at_least"),
    [
        ("🐱‍🐱", 5),  # not a known sequence: part by part
        ("🇽🇽", 4),  # no such country
        ("🐱🏽", 4),  # a cat has no skin tone
        ("https://a-long-name-for-a-school.unknownending/with/a/long/path", 60),
        ("©", 2),
        ("👨‍", 3),
    ],
)
def test_counts_more_where_unsure(text: str, at_least: int) -> None:
    assert x_weight(text) >= at_least


def test_the_figures_can_be_handed_to_a_script() -> None:
    assert json.loads(json.dumps(CONFIG))["maxWeightedTweetLength"] == LIMIT == 280


def test_an_address_inside_brackets_or_before_a_full_stop_counts_once() -> None:
    assert x_weight("(see test.com)") == len("(see )") + 23
    assert x_weight("See test.com.") == len("See .") + 23


def test_an_email_is_no_address_of_a_page() -> None:
    assert x_weight("kit@vale.com") == 12


def test_long_texts_are_counted_with_little_work() -> None:
    for seed in ("a.", "http://", "🏳️\u200d", "a-", "1"):
        assert effort(partial(x_weight, seed * (100_000 // len(seed)))) < 200
