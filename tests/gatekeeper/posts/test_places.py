"""Places in a version: their spelling is read as it is written, and what is not there is nowhere."""

from datetime import UTC, datetime

import pytest

from gatekeeper.posts.digest import ChannelContent, Content, PhotoContent, WordingContent
from gatekeeper.posts.places import Place, find

CONTENT = Content(
    text="Our 👍🏽 harvest table is full.\nThank you, every family!",
    photos=(PhotoContent(sha256="a" * 64, alt="A full table"), PhotoContent(sha256="b" * 64, alt="")),
    channels=(
        ChannelContent(account_id=6, kind="facebook", remote_id="111"),
        ChannelContent(account_id=7, kind="x", remote_id="42"),
    ),
    due=datetime(2026, 11, 24, tzinfo=UTC),
    window_minutes=120,
    wordings=(WordingContent(account_id=7, text="A full 🎉 table. Thank you!"),),
)
FACES = {1: [1, 3], 2: []}


@pytest.mark.parametrize(
    "spelling", ["text:4-14", "wording:x:7:2-8", "alt:1:0-4", "photo:2", "photo:1:face:3", "time", "channels"]
)
def test_a_place_is_spelt_as_it_is_read(spelling: str) -> None:
    place = Place.read(spelling)
    assert place is not None
    assert place.spelling == spelling
    assert place.is_in(CONTENT, faces=FACES)


@pytest.mark.parametrize(
    "spelling",
    [
        "", "text", "text:", "text:4", "text:-1-4", "text:4-x", "text:４-９", "text:1-2 ", "TEXT:1-2", "alt:1", "photo:",
        "photo:1:face:", "photo:1:face:1:2", "face:1", "times", "time\n", "text:1-9999999", "photo:1:2",
        "wording:x:7", "wording:7:0-4", "wording:X:7:0-4", "wording:x::0-4", "wording:x:7:0",
    ],
)  # fmt: skip
def test_what_spells_no_place_is_none(spelling: str) -> None:
    assert Place.read(spelling) is None


@pytest.mark.parametrize(
    "spelling",
    ["wording:x:6:0-4", "wording:facebook:6:0-4", "wording:facebook:7:0-4", "wording:x:7:0-99", "wording:x:7:4-4",
     "text:0-0", "text:9-4", "text:0-999", "alt:0:0-1", "alt:3:0-1", "alt:2:0-1", "alt:1:0-99", "photo:0", "photo:3",
     "photo:1:face:2", "photo:1:face:0", "photo:2:face:1", "photo:3:face:1"],
)  # fmt: skip
def test_a_place_that_this_version_does_not_have_is_nowhere(spelling: str) -> None:
    place = Place.read(spelling)
    assert place is not None
    assert not place.is_in(CONTENT, faces=FACES)


def test_words_are_counted_in_code_points() -> None:
    place = Place.read("text:4-14")
    assert place is not None
    assert place.words(CONTENT) == "👍🏽 harvest"


@pytest.mark.parametrize(
    ("spelling", "quote", "words"),
    [
        ("text", "harvest table", "harvest table"),
        ("text", "  Harvest \n TABLE ", "harvest table"),
        ("text", "full. Thank", "full.\nThank"),
        ("text", "", CONTENT.text),
        ("alt:1", "full", "full"),
    ],
)
def test_a_quote_is_found_however_it_was_typed(spelling: str, quote: str, words: str) -> None:
    place = find(spelling, quote, CONTENT)
    assert place is not None
    assert place.words(CONTENT) == words


@pytest.mark.parametrize(
    ("spelling", "quote"), [("text", "no such words"), ("alt:1", "harvest"), ("photo:1", "full"), ("time", ""), ("x", "full")]
)  # fmt: skip
def test_a_quote_that_is_not_there_is_found_nowhere(spelling: str, quote: str) -> None:
    assert find(spelling, quote, CONTENT) is None


def test_a_quote_is_no_pattern() -> None:
    assert find("text", "h.rvest", CONTENT) is None
    assert find("text", "(((", CONTENT) is None


def test_the_words_of_one_channel_are_found_like_the_common_ones() -> None:
    place = find("wording:x:7", "FULL 🎉", CONTENT)
    assert place is not None
    assert (place.spelling, place.label, place.words(CONTENT)) == ("wording:x:7:2-8", "Words for X", "full 🎉")
    whole = find("wording:x:7", "", CONTENT)
    assert whole is not None
    assert whole.words(CONTENT) == "A full 🎉 table. Thank you!"
    assert find("wording:x:7", "harvest", CONTENT) is None
