"""X's weighted length, case by case.

The cases restate the published conformance cases of twitter-text (conformance/validate.yml,
Apache-2.0), with the figures of configuration version 3; the rest says where we count more on purpose.
"""

import json
import time

import pytest

from gatekeeper.text.weight import CONFIG, LIMIT, x_weight


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


def test_long_texts_are_counted_quickly() -> None:
    for seed in ("a.", "http://", "🏳️\u200d", "a-", "1"):
        begun = time.perf_counter()
        x_weight(seed * (100_000 // len(seed)))
        assert time.perf_counter() - begun < 5
