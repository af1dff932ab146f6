from collections.abc import Callable
from typing import Any

from gatekeeper.channels.base import Channel, MediaItem, RenderedPost
from gatekeeper.simulator.server import Simulator

Start = Callable[..., Simulator]
Ask = Callable[..., Any]
Connect = Callable[..., Channel]


def test_empty_timelines_say_so_and_what_comes_next(simulated: Start, ask: Ask) -> None:
    page = ask(simulated(), "GET", "/").body.decode()
    assert page.count("Nothing has been published on") == 3
    assert "once the headteacher has approved it" in page


def test_shows_words_pictures_and_descriptions_to_the_public(
    simulated: Start, ask: Ask, connect: Connect, photo: MediaItem
) -> None:
    simulator = simulated()
    for kind in ("x", "facebook"):
        channel = connect(simulator, kind)
        channel.create_post(RenderedPost(f"Sports day on {kind} <b>now</b>"), [channel.upload_media(photo)])
    page = ask(simulator, "GET", "/").body.decode()
    assert "Sports day on x &lt;b&gt;now&lt;/b&gt;" in page
    assert page.count('alt="A green field"') == 2
    for picture_id in simulator.state.pictures:
        picture = ask(simulator, "GET", f"/picture/{picture_id}")
        assert (picture.body, picture.headers["content-type"]) == (photo.data, "image/jpeg")


def test_says_when_a_picture_has_no_description(simulated: Start, ask: Ask, connect: Connect, photo: MediaItem) -> None:
    simulator = simulated()
    channel = connect(simulator, "x")
    channel.create_post(RenderedPost("Sports day"), [channel.upload_media(MediaItem(photo.data, photo.mime, ""))])
    assert "This picture has no description." in ask(simulator, "GET", "/").body.decode()


def test_the_public_cannot_see_what_is_not_published(
    simulated: Start, ask: Ask, connect: Connect, photo: MediaItem
) -> None:
    simulator = simulated()
    channel = connect(simulator, "facebook")
    waiting = channel.upload_media(photo)
    assert ask(simulator, "GET", f"/picture/{waiting.id}").status == 404
    published = channel.create_post(RenderedPost("By mistake"), [waiting])
    assert ask(simulator, "GET", f"/picture/{waiting.id}").status == 200
    channel.delete_post(published.id)
    assert ask(simulator, "GET", f"/picture/{waiting.id}").status == 404
    assert "By mistake" not in ask(simulator, "GET", "/").body.decode()


def test_a_permalink_leads_to_the_post_and_nowhere_once_it_is_gone(
    simulated: Start, ask: Ask, connect: Connect
) -> None:
    simulator = simulated()
    for kind in ("x", "facebook"):
        channel = connect(simulator, kind)
        published = channel.create_post(RenderedPost("Sports day"), [])
        path = published.permalink.removeprefix(simulator.base_url)
        answer = ask(simulator, "GET", path)
        assert (answer.status, answer.headers["location"]) == (303, f"/#post-{published.id}")
        assert f'id="post-{published.id}"' in ask(simulator, "GET", "/").body.decode()
        channel.delete_post(published.id)
        assert ask(simulator, "GET", path).status == 404


def test_pages_allow_no_script_no_frame_and_no_foreign_content(simulated: Start, ask: Ask) -> None:
    simulator = simulated()
    for path in ("/", "/timeline.css"):
        policy = ask(simulator, "GET", path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
    page = ask(simulator, "GET", "/").body.decode()
    assert "<script" not in page
    assert "style=" not in page


def test_the_pages_are_only_for_looking(simulated: Start, ask: Ask) -> None:
    simulator = simulated()
    assert ask(simulator, "POST", "/", {}).status == 405
    for path in ("/picture/1", "/../etc/passwd", "/picture/../1", "/nonsense"):
        assert ask(simulator, "GET", path).status == 404


def test_says_when_a_post_was_edited(simulated: Start, ask: Ask, connect: Connect) -> None:
    simulator = simulated()
    for kind in ("x", "facebook"):
        published = connect(simulator, kind).create_post(RenderedPost("Before"), [])
        ask(simulator, "POST", "/_sim/edit_post", {"id": published.id, "text": f"After on {kind}"})
    page = ask(simulator, "GET", "/").body.decode()
    assert page.count(">Edited<") == 2
    assert "Before" not in page
