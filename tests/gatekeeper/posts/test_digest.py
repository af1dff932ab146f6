"""The digest covers everything the public gets, and nothing else changes it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gatekeeper.posts.digest import ChannelContent, Content, PhotoContent, WordingContent, digest_of

CONTENT = Content(
    text="Sports day – 14 June ☀️",
    photos=(PhotoContent(sha256="a" * 64, alt="Two red flags"),),
    channels=(ChannelContent(account_id=1, kind="x", remote_id="42"),),
    due=datetime(2026, 11, 24, 15, 30, tzinfo=UTC),
    window_minutes=120,
)


def test_the_same_content_has_the_same_digest_whatever_zone_its_time_is_told_in() -> None:
    elsewhere = replace(CONTENT, due=CONTENT.due.astimezone(timezone(timedelta(hours=5))))
    assert digest_of(elsewhere.canonical()) == digest_of(CONTENT.canonical())


@pytest.mark.parametrize(
    "changed",
    [
        replace(CONTENT, text="Sports day – 14 June ☀"),
        replace(CONTENT, photos=(PhotoContent(sha256="b" + "a" * 63, alt="Two red flags"),)),
        replace(CONTENT, photos=(PhotoContent(sha256="a" * 64, alt="Two red flags."),)),
        replace(CONTENT, photos=()),
        replace(CONTENT, channels=(ChannelContent(account_id=1, kind="x", remote_id="43"),)),
        replace(CONTENT, channels=(ChannelContent(account_id=2, kind="x", remote_id="42"),)),
        replace(CONTENT, due=CONTENT.due + timedelta(seconds=1)),
        replace(CONTENT, window_minutes=121),
    ],
)
def test_any_change_gives_another_digest(changed: Content) -> None:
    assert digest_of(changed.canonical()) != digest_of(CONTENT.canonical())


def test_the_order_of_photos_is_part_of_the_content() -> None:
    two = (PhotoContent(sha256="a" * 64, alt="A"), PhotoContent(sha256="b" * 64, alt="B"))
    there, back = replace(CONTENT, photos=two), replace(CONTENT, photos=two[::-1])
    assert digest_of(there.canonical()) != digest_of(back.canonical())


def test_canonical_content_reads_back_as_it_was() -> None:
    assert Content.from_canonical(CONTENT.canonical()) == CONTENT
    assert Content.from_canonical(CONTENT.canonical()).canonical() == CONTENT.canonical()


def test_a_content_without_own_words_keeps_the_digest_it_always_had() -> None:
    """What was approved before a channel could have its own words has to stay approved."""
    assert CONTENT.canonical() == (
        '{"channels":[{"account_id":1,"kind":"x","remote_id":"42"}],"due":"2026-11-24T15:30:00Z",'
        '"photos":[{"alt":"Two red flags","sha256":"' + "a" * 64 + '"}],"text":"Sports day – 14 June ☀️",'
        '"window_minutes":120}'
    )
    assert digest_of(CONTENT.canonical()) == "f6da8df6b524269be9fc544f1a7772f0f863964d4cdddb6e6e0ea64c14fe3aba"


def test_own_words_are_a_part_of_the_content_and_read_back_in_the_order_of_their_accounts() -> None:
    ten, two = WordingContent(account_id=10, text="Ten"), WordingContent(account_id=2, text="Two")
    own = replace(CONTENT, wordings=(two, ten))
    assert own.canonical().endswith('"window_minutes":120,"wordings":{"10":"Ten","2":"Two"}}')
    assert replace(CONTENT, wordings=(ten, two)).canonical() == own.canonical()
    assert Content.from_canonical(own.canonical()) == own
    assert (own.text_for(2), own.text_for(10), own.text_for(1)) == ("Two", "Ten", CONTENT.text)


@pytest.mark.parametrize(
    "wordings",
    [
        (),
        (WordingContent(account_id=1, text="Sports day."),),
        (WordingContent(account_id=2, text="Sports day!"),),
        (WordingContent(account_id=1, text="Sports day!"), WordingContent(account_id=2, text="Sports day!")),
    ],
    ids=["none", "another letter", "another account", "one more"],
)
def test_any_change_of_own_words_gives_another_digest(wordings: tuple[WordingContent, ...]) -> None:
    own = replace(CONTENT, wordings=(WordingContent(account_id=1, text="Sports day!"),))
    assert digest_of(replace(CONTENT, wordings=wordings).canonical()) != digest_of(own.canonical())
