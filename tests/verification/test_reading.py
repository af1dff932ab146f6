"""Reading an account through, over the real libraries: part by part, with authors, what is queued, and its pictures."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.channels import reading
from gatekeeper.channels.base import Channel, MediaItem, RemotePost, RenderedPost, Watching
from gatekeeper.channels.errors import PlatformUnavailable
from gatekeeper.channels.reading import fetch_picture
from gatekeeper.clock import SystemClock
from gatekeeper.simulator.pictures import HOSTS
from gatekeeper.simulator.server import Simulator

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def outside(simulator: Simulator, kind: str, text: str, **order: object) -> str:
    with simulator.state.changing():
        return str(simulator.control.external_post({"kind": kind, "text": text, **order})["id"])


def everything(channel: Channel) -> list[list[RemotePost]]:
    assert isinstance(channel, Watching)
    pages, cursor = [], ""
    while True:
        page = channel.read_page(since=LONG_AGO, cursor=cursor)
        pages.append(list(page.posts))
        cursor = page.cursor
        if not cursor:
            return pages


def test_a_long_timeline_comes_in_parts_without_a_gap_or_a_double(
    channel: Channel, simulator: Simulator, kind: str
) -> None:
    made = [outside(simulator, kind, f"Post {number}") for number in range(230)]
    pages = everything(channel)
    assert [len(page) for page in pages] == [100, 100, 30]
    assert [post.id for page in pages for post in page] == made[::-1]
    assert len(channel.list_posts(since=LONG_AGO).posts) == 230


def test_an_empty_timeline_is_one_empty_part(channel: Channel) -> None:
    assert everything(channel) == [[]]


def test_a_post_tells_whose_it_is_and_where_its_pictures_are(
    channel: Channel, simulator: Simulator, kind: str, draw: Callable[..., MediaItem]
) -> None:
    items = [draw("seagreen"), draw("navy", alt="A blue wall")]
    done = channel.create_post(RenderedPost("Two pictures"), [channel.upload_media(item) for item in items])
    ((post,),) = everything(channel)
    assert (post.id, post.author) == (done.id, channel.account_id)
    assert isinstance(channel, Watching)
    assert [channel.picture(name) for name in post.pictures] == [item.data for item in items]


@pytest.mark.parametrize("garbage", ["html", "truncated", "no_content_type", "no_id"])
def test_a_garbled_part_is_no_part(channel: Channel, simulator: Simulator, garbage: str) -> None:
    simulator.fault("accept_then_garbage", method="GET", garbage=garbage)
    assert isinstance(channel, Watching)
    with pytest.raises(PlatformUnavailable):
        channel.read_page(since=LONG_AGO)


def test_only_facebook_tells_what_is_queued_and_when_it_goes_out(
    channel: Channel, simulator: Simulator, kind: str
) -> None:
    assert isinstance(channel, Watching)
    if kind != "facebook":
        assert channel.queued_posts() is None
        return
    assert channel.queued_posts() == ()
    before = datetime.now(UTC)
    queued = outside(simulator, kind, "Later", queued_for=3600)
    told = channel.queued_posts()
    assert told is not None
    (post,) = told
    assert post.id == queued
    assert abs(post.created_at - before - timedelta(hours=1)) < timedelta(seconds=5)
    assert everything(channel) == [[]]


def test_what_a_visitor_wrote_on_the_page_is_not_among_its_own_posts(simulator: Simulator) -> None:
    from gatekeeper.channels.registry import build_channel

    channel = build_channel(simulator.credentials("facebook"), clock=SystemClock(), base_url=simulator.base_url)
    visitor = outside(simulator, "facebook", "Lovely school", author="777")
    assert everything(channel) == [[]]
    assert channel.get_post(visitor).author == "777"


@pytest.mark.parametrize(
    "address",
    [
        "https://images.example/picture/1",
        "http://pbs.twimg.com/picture/1",
        "https://pbs.twimg.com.images.example/picture/1",
        "https://notpbs.twimg.com/picture/1",
        "https://key@pbs.twimg.com/picture/1",
        "https://pbs.twimg.com:8080/picture/1",
        "https://127.0.0.1/picture/1",
        "file:///etc/passwd",
        "",
    ],
    ids=[
        "stranger",
        "plain-http",
        "name-in-front",
        "name-behind",
        "with-a-key",
        "another-port",
        "loopback",
        "file",
        "nothing",
    ],
)
def test_a_picture_is_asked_for_nowhere_but_on_the_platforms_own_servers(simulator: Simulator, address: str) -> None:
    with pytest.raises(PlatformUnavailable):
        fetch_picture(address, platform="X", names=("pbs.twimg.com",), clock=SystemClock(), base_url=simulator.base_url)
    assert simulator.requests() == []


@pytest.mark.parametrize(
    "fault",
    [
        {"mode": "status", "status": 302, "headers": {"Location": "https://images.example/"}},
        {"mode": "status", "status": 404},
        {"mode": "drop_before"},
        {"mode": "status", "status": 200, "body": "x" * 5_000},
    ],
    ids=["elsewhere", "gone", "dropped", "too-large"],
)
def test_a_picture_that_does_not_come_as_it_should_is_none(
    channel: Channel, simulator: Simulator, kind: str, fault: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 4_000)
    picture = base64.b64encode(_tiny()).decode()
    outside(simulator, kind, "One", images=[picture])
    ((post,),) = everything(channel)
    mode = str(fault["mode"])
    simulator.fault(mode, host=HOSTS[kind], **{name: value for name, value in fault.items() if name != "mode"})
    assert isinstance(channel, Watching)
    with pytest.raises(PlatformUnavailable):
        channel.picture(post.pictures[0])
    assert channel.picture(post.pictures[0]) == _tiny()
    asked = simulator.requests("GET", host=HOSTS[kind])
    assert asked
    assert not any("authorization" in entry["headers"] for entry in asked)


def _tiny() -> bytes:
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "JPEG")
    return file.getvalue()
