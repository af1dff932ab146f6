"""The buttons of the timelines' page: they do what goes round the gate, and no other page can press them."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest

from gatekeeper.simulator.server import Simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


def press(simulator: Simulator, origin: str | None = None, **form: str) -> tuple[int, str]:
    place = urlsplit(simulator.base_url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if origin != "none":
        headers["Origin"] = origin or simulator.base_url
    connection.request("POST", "/outside", urlencode(form), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers.get("Location", "")


@pytest.mark.parametrize("kind", ["x", "facebook", "linkedin"])
def test_somebody_posts_changes_and_deletes_around_the_gate(simulator: Simulator, kind: str) -> None:
    status, place = press(simulator, act="post", kind=kind)
    (post,) = simulator.posts(kind)
    assert (status, place) == (303, f"/#post-{post.id}")
    assert post.picture_ids
    before = post.text
    assert press(simulator, act="edit", id=post.id)[0] == 303
    (post,) = simulator.posts(kind)
    assert post.text.startswith(before)
    assert post.text != before
    assert press(simulator, act="delete", id=post.id)[0] == 303
    assert simulator.posts(kind) == []


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null", "none"])
def test_no_other_page_can_press_them(simulator: Simulator, origin: str) -> None:
    assert press(simulator, origin, act="post", kind="x")[0] == 403
    assert simulator.posts("x") == []


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"act": "post"},
        {"act": "post", "kind": "myspace"},
        {"act": "edit", "id": "9"},
        {"act": "delete"},
        {"act": "fly"},
    ],
    ids=["nothing", "nowhere", "unknown-place", "no-such-post", "no-post", "no-such-act"],
)
def test_what_cannot_be_done_is_refused(simulator: Simulator, form: dict[str, str]) -> None:
    assert press(simulator, **form)[0] == 400
    assert simulator.posts("x") == []
