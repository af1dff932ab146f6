"""The simulated platforms refuse what the platforms refuse."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from gatekeeper.channels.base import Channel, MediaHandle, MediaItem, RenderedPost
from gatekeeper.channels.errors import (
    AccountRestricted,
    AuthenticationFailed,
    ChannelRefused,
    ContentRejected,
    DuplicateContent,
    PermissionDenied,
    QuotaExhausted,
    RateLimited,
    UnsupportedApiVersion,
)
from gatekeeper.channels.registry import build_channel
from gatekeeper.simulator.server import Simulator

Start = Callable[..., Simulator]
Connect = Callable[..., Channel]


def test_x_refuses_a_text_that_weighs_too_much(simulated: Start, connect: Connect) -> None:
    simulator = simulated()
    channel = connect(simulator, "x")
    channel.create_post(RenderedPost("字" * 140), [])
    with pytest.raises(ContentRejected):
        channel.create_post(RenderedPost("字" * 141), [])
    assert len(simulator.posts("x")) == 1


def test_x_refuses_the_same_words_for_a_day(simulated: Start, connect: Connect, clock: Any) -> None:
    channel = connect(simulated(clock=clock), "x")
    channel.create_post(RenderedPost("Snow day"), [])
    clock.advance(hours=23)
    with pytest.raises(DuplicateContent):
        channel.create_post(RenderedPost("Snow day "), [])
    clock.advance(hours=2)
    channel.create_post(RenderedPost("Snow day"), [])


def test_x_refuses_media_that_expired_or_is_named_twice_or_too_often(
    simulated: Start, connect: Connect, clock: Any, photo: MediaItem
) -> None:
    simulator = simulated(clock=clock)
    channel = connect(simulator, "x")
    handles = [channel.upload_media(photo) for _ in range(5)]
    assert handles[0].expires_at == clock.now() + timedelta(hours=24)
    for media in (handles, [handles[0], handles[0]]):
        with pytest.raises(ContentRejected):
            channel.create_post(RenderedPost("Photos"), media)
    clock.advance(hours=24, seconds=1)
    with pytest.raises(ContentRejected):
        channel.create_post(RenderedPost("Photos"), handles[:1])
    assert simulator.posts("x") == []


@pytest.mark.parametrize("kind", ["x", "facebook"])
def test_refuses_a_picture_that_is_none(simulated: Start, connect: Connect, kind: str) -> None:
    simulator = simulated()
    with pytest.raises(ContentRejected):
        connect(simulator, kind).upload_media(MediaItem(b"\xff\xd8\xff not really", "image/jpeg", "A field"))
    assert simulator.state.pictures == {}


@pytest.mark.parametrize("kind", ["x", "facebook"])
def test_refuses_the_other_platforms_pictures(simulated: Start, connect: Connect, photo: MediaItem, kind: str) -> None:
    simulator = simulated()
    other = connect(simulator, "facebook" if kind == "x" else "x").upload_media(photo)
    with pytest.raises(ChannelRefused):
        connect(simulator, kind).create_post(RenderedPost("Photos"), [other])
    assert simulator.posts(kind) == []


@pytest.mark.parametrize("kind", ["x", "facebook"])
def test_refuses_a_post_without_anything(simulated: Start, connect: Connect, kind: str) -> None:
    with pytest.raises(ContentRejected):
        connect(simulated(), kind).create_post(RenderedPost(""), [])


def test_x_refuses_a_description_that_is_too_long(simulated: Start, connect: Connect, photo: MediaItem) -> None:
    with pytest.raises(ContentRejected):
        connect(simulated(), "x").upload_media(MediaItem(photo.data, photo.mime, "a" * 1001))


def test_x_counts_posts_and_says_when_the_next_may_come(simulated: Start, connect: Connect, clock: Any) -> None:
    simulator = simulated(clock=clock, x_limits={"create": 2, "timeline": 1})
    channel = connect(simulator, "x")
    for number in range(2):
        channel.create_post(RenderedPost(f"Post {number}"), [])
        clock.advance(minutes=1)
    with pytest.raises(RateLimited) as raised:
        channel.create_post(RenderedPost("Post 3"), [])
    assert raised.value.retry_at == clock.now() + timedelta(minutes=13)
    clock.advance(minutes=13)
    channel.create_post(RenderedPost("Post 3"), [])


def test_facebook_counts_calls(simulated: Start, connect: Connect, clock: Any) -> None:
    channel = connect(simulated(clock=clock, graph_calls_per_hour=1), "facebook")
    channel.create_post(RenderedPost("One"), [])
    with pytest.raises(RateLimited) as raised:
        channel.create_post(RenderedPost("Two"), [])
    assert raised.value.retry_at == clock.now() + timedelta(minutes=60)
    clock.advance(hours=1)
    channel.create_post(RenderedPost("Two"), [])


def test_x_refuses_writing_with_read_only_keys(simulated: Start, connect: Connect) -> None:
    channel = connect(simulated(x_access_level="read"), "x")
    assert channel.verify_credentials().scopes == {"read"}
    with pytest.raises(PermissionDenied):
        channel.create_post(RenderedPost("Sports day"), [])


def test_x_refuses_when_the_credit_is_spent(simulated: Start, connect: Connect) -> None:
    with pytest.raises(QuotaExhausted):
        connect(simulated(x_credit=False), "x").create_post(RenderedPost("Sports day"), [])


def test_x_says_that_the_account_is_suspended(simulated: Start, connect: Connect) -> None:
    simulator = simulated()
    simulator.control.set_token({"kind": "x", "state": "suspended"})
    with pytest.raises(AccountRestricted):
        connect(simulator, "x").create_post(RenderedPost("Sports day"), [])


def test_facebook_asks_for_the_permission_of_each_call(simulated: Start, connect: Connect, clock: Any) -> None:
    channel = connect(simulated(facebook_scopes=("pages_read_engagement",)), "facebook")
    with pytest.raises(PermissionDenied):
        channel.create_post(RenderedPost("Sports day"), [])
    channel = connect(simulated(facebook_scopes=("pages_manage_posts",)), "facebook")
    published = channel.create_post(RenderedPost("Sports day"), [])
    with pytest.raises(PermissionDenied):
        channel.get_post(published.id)
    with pytest.raises(PermissionDenied):
        channel.list_posts(since=clock.now())


def test_facebook_refuses_versions_that_have_ended(simulated: Start) -> None:
    simulator = simulated()
    channel = build_channel(
        simulator.facebook_credentials(),
        clock=simulator.config.clock,
        base_url=simulator.base_url,
        api_version="v20.0",
    )
    with pytest.raises(UnsupportedApiVersion):
        channel.create_post(RenderedPost("Sports day"), [])


def test_facebook_tells_when_a_token_expires(simulated: Start, connect: Connect, clock: Any) -> None:
    identity = connect(simulated(clock=clock), "facebook").verify_credentials()
    assert identity.expires_at == clock.now() + timedelta(days=90)
    assert "pages_manage_posts" in identity.scopes


def test_facebook_refuses_a_token_of_another_app(simulated: Start) -> None:
    simulator = simulated()
    right = simulator.facebook_credentials()
    wrong = type(right)("facebook", "111", {**right.secrets, "app_id": "900101"})
    channel = build_channel(wrong, clock=simulator.config.clock, base_url=simulator.base_url)
    with pytest.raises(AuthenticationFailed):
        channel.verify_credentials()


def test_an_edit_on_x_is_a_new_post_that_knows_the_old_one(simulated: Start, connect: Connect, clock: Any) -> None:
    simulator = simulated(clock=clock)
    channel = connect(simulator, "x")
    since = clock.now() - timedelta(minutes=1)
    published = channel.create_post(RenderedPost("Before"), [])
    clock.advance(minutes=2)
    with simulator.state.changing():
        simulator.control.edit_post({"id": published.id, "text": "After"})
    [listed] = channel.list_posts(since=since).posts
    assert listed.text == "After"
    assert listed.history == (published.id, listed.id)
    assert channel.get_post(published.id).text == "Before"
    assert channel.delete_post(published.id) == "deleted"
    assert simulator.posts("x") == []


def test_an_edit_on_facebook_keeps_the_id(simulated: Start, connect: Connect) -> None:
    simulator = simulated()
    channel = connect(simulator, "facebook")
    published = channel.create_post(RenderedPost("Before"), [])
    with simulator.state.changing():
        simulator.control.edit_post({"id": published.id, "text": "After"})
    assert channel.get_post(published.id).text == "After"


def test_facebook_tells_which_app_posted(simulated: Start, connect: Connect, clock: Any) -> None:
    simulator = simulated()
    channel = connect(simulator, "facebook")
    ours = channel.create_post(RenderedPost("Ours"), [])
    with simulator.state.changing():
        by_hand = simulator.control.external_post({"kind": "facebook", "text": "By hand"})
    assert channel.get_post(ours.id).application == "900100"
    assert channel.get_post(by_hand["id"]).application is None


def test_a_photo_that_facebook_published_on_its_own_is_never_taken_for_an_upload(
    simulated: Start, connect: Connect, photo: MediaItem
) -> None:
    from gatekeeper.channels.errors import ChannelUnclear

    simulator = simulated()
    simulator.fault("status", path="*/photos", status=200, body='{"id": "1", "post_id": "111_2"}')
    with pytest.raises(ChannelUnclear):
        connect(simulator, "facebook").upload_media(photo)


@pytest.mark.parametrize("post_id", ["111_2/comments", "me", "", "111_2?fields=x"])
def test_facebook_ids_cannot_name_another_route(simulated: Start, connect: Connect, post_id: str) -> None:
    simulator = simulated()
    channel = connect(simulator, "facebook")
    for attempt in (channel.get_post, channel.delete_post):
        with pytest.raises(ChannelRefused):
            attempt(post_id)
    assert simulator.requests() == []


def test_facebook_says_nothing_about_a_photo_it_does_not_have(simulated: Start, connect: Connect) -> None:
    with pytest.raises(ContentRejected):
        connect(simulated(), "facebook").create_post(RenderedPost("Photos"), [MediaHandle("77")])
