from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.channels.base import Ambiguous, Found, NotFound, RemotePost, RenderedPost, TimelinePage, TimeWindow
from gatekeeper.channels.comparison import comparable, find_in

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WINDOW = TimeWindow(NOW - timedelta(seconds=60), NOW + timedelta(minutes=10))


def remote(
    post_id: str = "1", text: str = "Sports day", *, media: int = 1, at: datetime = NOW, **more: object
) -> RemotePost:
    return RemotePost(post_id, text, media, at, f"https://x.com/{post_id}", **more)  # type: ignore[arg-type]


def find(*posts: RemotePost, claimed: tuple[str, ...] = (), complete: bool = False) -> Found | NotFound | Ambiguous:
    page = TimelinePage(posts, complete=complete, observed_at=NOW)
    return find_in(
        page, RenderedPost("Sports day"), media_count=1, window=WINDOW, claimed=claimed, canonical=comparable
    )


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("Café", "Cafe\u0301"),
        ("a\r\nb", "a\nb"),
        (" a  \n b ", "a\n b"),
        ("see school.example", "see http://school.example"),
        ("see https://school.example/", "see https://school.example"),
        ("HTTPS://school.example/a", "https://school.example/a"),
    ],
)
def test_what_platforms_change_on_their_own_makes_no_difference(sent: str, read: str) -> None:
    assert comparable(sent) == comparable(read)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sports day", "sports day"),
        ("Sports day", "Sports  day"),
        ("a\nb", "a b"),
        ("https://school.example/a", "https://school.example/b"),
        ("and/or", "and or"),
        ("Year 5/ Year 6", "Year 5/Year 6"),
    ],
)
def test_what_an_author_could_have_meant_does(one: str, other: str) -> None:
    assert comparable(one) != comparable(other)


def test_finds_exactly_one() -> None:
    assert find(remote("9", "Other"), remote("1")) == Found(remote("1"))


@pytest.mark.parametrize(
    "post",
    [
        remote(text="Sports days"),
        remote(media=0),
        remote(at=WINDOW.start - timedelta(seconds=1)),
        remote(at=WINDOW.end + timedelta(seconds=1)),
    ],
)
def test_cannot_find_what_differs_in_words_pictures_or_time(post: RemotePost) -> None:
    assert find(post) == NotFound(complete=False)
    assert find(post, complete=True) == NotFound(complete=True)


def test_cannot_find_what_another_post_has_claimed_even_under_an_older_id() -> None:
    assert find(remote("1"), claimed=("1",)) == NotFound(complete=False)
    assert find(remote("2", history=("1", "2")), claimed=("1",)) == NotFound(complete=False)


def test_cannot_choose_between_two() -> None:
    assert find(remote("1"), remote("2")) == Ambiguous((remote("1"), remote("2")))


def test_the_window_includes_its_ends() -> None:
    assert isinstance(find(remote(at=WINDOW.start)), Found)
    assert isinstance(find(remote(at=WINDOW.end)), Found)
