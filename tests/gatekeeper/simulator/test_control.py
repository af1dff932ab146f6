import base64
from collections.abc import Callable
from typing import Any

import pytest

from gatekeeper.channels.base import Channel, MediaItem, RenderedPost
from gatekeeper.simulator.server import Simulator

Start = Callable[..., Simulator]
Ask = Callable[..., Any]
Connect = Callable[..., Channel]
ROUTES = ["health", "state", "requests", "faults"]


@pytest.mark.parametrize("host", ["api.twitter.com", "graph.facebook.com"])
@pytest.mark.parametrize("route", ROUTES)
def test_control_cannot_be_reached_under_a_platforms_name(simulated: Start, ask: Ask, host: str, route: str) -> None:
    assert ask(simulated(), "GET", f"/_sim/{route}", Host=host).status == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "x.com"])
def test_nothing_can_be_reached_under_a_foreign_name(simulated: Start, ask: Ask, host: str) -> None:
    for path in ("/_sim/state", "/"):
        assert ask(simulated(), "GET", path, Host=host).status == 421


def test_control_cannot_be_reached_by_a_form_in_a_browser(simulated: Start, ask: Ask) -> None:
    answer = ask(simulated(), "POST", "/_sim/reset", {}, Content_Type="application/x-www-form-urlencoded")
    assert answer.status == 415


@pytest.mark.parametrize("host", ["localhost:8002", "127.0.0.1", "[::1]:8002"])
def test_control_answers_on_this_computers_own_names(simulated: Start, ask: Ask, host: str) -> None:
    assert ask(simulated(), "GET", "/_sim/health", Host=host).json == {"ok": True}


def test_somebody_posts_edits_and_removes_by_hand(
    simulated: Start, ask: Ask, connect: Connect, photo: MediaItem
) -> None:
    simulator = simulated()
    image = base64.b64encode(photo.data).decode()
    posted = ask(
        simulator, "POST", "/_sim/external_post", {"kind": "facebook", "text": "By hand", "images": [image]}
    ).json
    assert connect(simulator, "facebook").get_post(posted["id"]).media_count == 1
    ask(simulator, "POST", "/_sim/edit_post", {"id": posted["id"], "text": "Changed"})
    assert simulator.posts("facebook")[0].text == "Changed"
    assert ask(simulator, "POST", "/_sim/delete_post", {"id": posted["id"]}).status == 200
    assert simulator.posts("facebook") == []


@pytest.mark.parametrize(
    ("route", "order"),
    [
        ("faults", {}),
        ("faults", {"mode": "nonsense"}),
        ("faults", {"mode": "delay", "surprise": 1}),
        ("faults", {"mode": "status", "canned": "nonsense"}),
        ("faults", {"mode": "accept_then_garbage", "garbage": "nonsense"}),
        ("external_post", {"kind": "myspace", "text": "x"}),
        ("external_post", {"kind": "x"} | {"text": 5}),
        ("external_post", {"kind": "x", "text": "x", "images": ["rubbish"]}),
        ("edit_post", {"id": "1", "text": "x"}),
        ("delete_post", {}),
        ("token", {"kind": "x", "state": "nonsense"}),
        ("nonsense", {}),
        ("reset", ["no", "object"]),
    ],
)
def test_an_order_that_is_not_understood_changes_nothing_and_says_why(
    simulated: Start, ask: Ask, route: str, order: object
) -> None:
    simulator = simulated()
    answer = ask(simulator, "POST", f"/_sim/{route}", order)
    assert answer.status in {400, 404}
    assert answer.json["error"].endswith(".")
    assert simulator.state.all_posts() == []
    assert simulator.faults.waiting() == []


def test_a_fault_waits_and_is_used_up(simulated: Start, ask: Ask, connect: Connect) -> None:
    simulator = simulated()
    order = {"mode": "status", "canned": "x.503", "host": "api.twitter.com", "method": "GET", "path": "/2/users/*"}
    ask(simulator, "POST", "/_sim/faults", {**order, "after": 1, "times": 2})
    channel = connect(simulator, "x")
    outcomes = []
    for _ in range(5):
        try:
            channel.verify_credentials()
            outcomes.append("fine")
        except Exception as err:  # noqa: BLE001 - the order of outcomes is what is looked at
            outcomes.append(type(err).__name__)
    assert outcomes == ["fine", "PlatformUnavailable", "PlatformUnavailable", "fine", "fine"]
    assert ask(simulator, "GET", "/_sim/faults").json == []


def test_state_and_requests_tell_a_script_everything(
    simulated: Start, ask: Ask, connect: Connect, photo: MediaItem
) -> None:
    simulator = simulated()
    channel = connect(simulator, "facebook")
    published = channel.create_post(RenderedPost("Sports day"), [channel.upload_media(photo)])
    state = ask(simulator, "GET", "/_sim/state").json
    [post] = state["posts"]
    assert (post["id"], post["live"], state["requests_seen"]) == (published.id, True, 2)
    upload, create = ask(simulator, "GET", "/_sim/requests").json
    assert upload["files"]["source"]["sha256"] == state["pictures"][0]["sha256"]
    assert upload["form"]["published"] == "false"
    assert upload["form"]["alt_text_custom"] == photo.alt
    assert (create["method"], create["path"], create["status"]) == ("POST", "/v26.0/111/feed", 200)


def test_reset_forgets_timelines_faults_and_requests(simulated: Start, ask: Ask, connect: Connect) -> None:
    simulator = simulated()
    connect(simulator, "x").create_post(RenderedPost("Sports day"), [])
    simulator.fault("drop_before")
    assert ask(simulator, "POST", "/_sim/reset", {}).json == {"ok": True}
    assert (simulator.posts("x"), simulator.requests(), simulator.faults.waiting()) == ([], [], [])
    connect(simulator, "x").create_post(RenderedPost("Sports day"), [])
