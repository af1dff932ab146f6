"""What LinkedIn takes as words: every sign with a meaning escaped, hashtags written out, and back again."""

import pytest

from gatekeeper.channels.little_text import little_text, readable
from gatekeeper.simulator.linkedin import _understood

TEXTS = [
    "Plain words",
    r"Signs \ | { } @ [ ] ( ) < > # * _ ~ in a row",
    "#SportsDay and #sports_day_2026, but #1 place and C# and &#39; stay",
    "Ask @office (or Mr Lowe) <today> *please*",
    "Two lines\n\n— and a third ☀️",
    "{hashtag|\\#|forged} and @[Somebody](urn:li:person:1)",
    "a\\",
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_written_reads_back_as_it_was(text: str) -> None:
    assert readable(little_text(text)) == text


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_is_cut_off(text: str) -> None:
    """The simulated platform cuts at the first sign that is not escaped, as the real one does."""
    assert _understood(little_text(text)) == text


@pytest.mark.parametrize("text", ["Sports day (Friday)", "50 * 2", "a_b", "see [1]", "tag | tag"])
def test_unescaped_the_same_words_would_be_cut(text: str) -> None:
    assert _understood(text) != text


def test_a_hashtag_stays_one() -> None:
    assert little_text("Well done #Year6!") == r"Well done {hashtag|\#|Year6}!"


def test_a_mention_made_elsewhere_reads_as_its_name() -> None:
    assert readable(r"Thanks @[Amy \(PTA\)](urn:li:person:abc)!") == "Thanks Amy (PTA)!"
