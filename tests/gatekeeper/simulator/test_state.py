import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatekeeper.channels.base import Channel, MediaItem, RenderedPost
from gatekeeper.simulator.server import Simulator
from gatekeeper.simulator.state import SimPost, SimVersion, State

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def post(state: State, text: str = "Sports day") -> SimPost:
    post_id = state.next_id(NOW)
    version = SimVersion(post_id, text, NOW.isoformat())
    return state.add_post(SimPost(post_id, "x", "42", [version], [], NOW.isoformat()))


@pytest.mark.parametrize("kind", ["x", "facebook"])
def test_a_restart_finds_timelines_pictures_and_requests_again(
    tmp_path: Path, connect: Callable[..., Channel], photo: MediaItem, kind: str
) -> None:
    with Simulator(folder=tmp_path) as first:
        channel = connect(first, kind)
        kept = channel.create_post(RenderedPost("Kept"), [channel.upload_media(photo)])
        removed = channel.create_post(RenderedPost("Removed"), [])
        channel.delete_post(removed.id)
        seen = len(first.requests())
    with Simulator(folder=tmp_path) as second:
        [found] = second.posts(kind)
        assert (found.id, found.text) == (kept.id, "Kept")
        [picture] = second.state.pictures_of(found)
        assert picture.alt == photo.alt
        assert hashlib.sha256(second.state.picture_data(picture.id)).hexdigest() == picture.sha256
        assert len(second.requests()) == seen
        assert connect(second, kind).get_post(kept.id).text == "Kept"


def test_ids_rise_even_when_the_clock_stands_still_or_the_simulator_restarts(tmp_path: Path) -> None:
    state = State(tmp_path)
    ids = [int(state.next_id(NOW)) for _ in range(3)]
    state.close()
    state = State(tmp_path)
    ids.append(int(state.next_id(NOW)))
    state.close()
    assert ids == sorted(set(ids))
    assert (ids[0] >> 22) + 1288834974657 == int(NOW.timestamp() * 1000)


def test_a_request_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    state = State(tmp_path)
    with pytest.raises(RuntimeError), state.changing():
        post(state)
        raise RuntimeError
    assert state.all_posts() == []
    state.close()
    state = State(tmp_path)
    assert state.all_posts() == []
    state.close()


def test_forgets_everything_when_told_to(tmp_path: Path) -> None:
    state = State(tmp_path)
    post(state)
    state.log({"method": "GET"})
    state.reset()
    assert (state.all_posts(), state.requests, state.pictures) == ([], [], {})
    state.close()
