"""The digest covers everything the public gets, and nothing else changes it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gatekeeper.posts.digest import ChannelContent, Content, PhotoContent, digest_of

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
