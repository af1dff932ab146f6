"""What LinkedIn alone asks of a channel, over HTTP against the simulated platform."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gatekeeper.channels.base import Channel, Credentials, MediaItem, RenderedPost
from gatekeeper.channels.errors import (
    AuthenticationFailed,
    ContentRejected,
    DuplicateContent,
    OutcomeUnknown,
    PermissionDenied,
    UnsupportedApiVersion,
)
from gatekeeper.channels.registry import build_channel
from gatekeeper.clock import SystemClock
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.server import Simulator

Draw = Callable[..., MediaItem]


def linked(simulator: Simulator, *, secrets: dict[str, str] | None = None, version: str | None = None) -> Channel:
    right = simulator.credentials("linkedin")
    keys = Credentials("linkedin", right.account_id, {**right.secrets, **(secrets or {})})
    return build_channel(keys, clock=SystemClock(), base_url=simulator.base_url, api_version=version)


def test_signs_with_a_meaning_do_not_cut_the_post_off(simulator: Simulator) -> None:
    text = "Sports day (Friday) *bring a hat* – see [list] | #Year6 @ 9"
    linked(simulator).create_post(RenderedPost(text), [])
    [post] = simulator.posts("linkedin")
    assert post.text == text


def test_a_duplicate_names_the_post_that_is_there(simulator: Simulator) -> None:
    channel = linked(simulator)
    first = channel.create_post(RenderedPost("The same words"), [])
    with pytest.raises(DuplicateContent) as raised:
        channel.create_post(RenderedPost("The same words"), [])
    assert raised.value.existing_id == first.id


def test_a_conflict_may_have_happened(simulator: Simulator) -> None:
    simulator.fault("status", status=409, canned="", body='{"message": "Conflict", "status": 409}', path="/rest/posts")
    with pytest.raises(OutcomeUnknown):
        linked(simulator).create_post(RenderedPost("Sports day"), [])


@pytest.mark.parametrize("version", ["202401", "203001"])
def test_a_version_that_is_not_spoken_any_more_is_told_so(simulator: Simulator, version: str) -> None:
    with pytest.raises(UnsupportedApiVersion):
        linked(simulator, version=version).create_post(RenderedPost("Sports day"), [])


def test_says_until_when_the_token_lasts_and_what_it_permits(simulator: Simulator) -> None:
    told = linked(simulator).verify_credentials()
    assert told.expires_at is not None
    assert told.expires_at - datetime.now(UTC) > timedelta(days=59)
    assert "w_organization_social" in told.scopes


def test_cannot_verify_with_a_wrong_client_secret(simulator: Simulator) -> None:
    with pytest.raises(AuthenticationFailed):
        linked(simulator, secrets={"client_secret": "another"}).verify_credentials()


def test_a_role_that_may_not_post_is_not_enough() -> None:
    with Simulator(config=SimulatorConfig(linkedin_role="ANALYST")) as simulator, pytest.raises(PermissionDenied):
        linked(simulator).verify_credentials()


def test_the_token_never_leaves_for_an_address_that_an_answer_names(simulator: Simulator, draw: Draw) -> None:
    body = '{"value": {"uploadUrl": "https://evil.example/take", "image": "urn:li:image:1"}}'
    simulator.fault("status", status=200, body=body, path="/rest/images")
    with pytest.raises(Exception, match="LinkedIn"):
        linked(simulator).upload_media(draw())
    assert len(simulator.requests()) == 1


def test_a_text_that_is_too_long_once_escaped_is_told_beforehand(simulator: Simulator) -> None:
    channel = linked(simulator)
    text = "(" * 1_600
    [violation] = channel.validate(RenderedPost(text))
    assert "200 over the 3000 characters" in violation.sentence
    with pytest.raises(ContentRejected):
        channel.create_post(RenderedPost(text), [])


def test_says_which_version_and_protocol_it_speaks_on_every_call(simulator: Simulator, draw: Draw) -> None:
    channel = linked(simulator)
    channel.create_post(RenderedPost("Sports day"), [channel.upload_media(draw())])
    channel.list_posts(since=datetime.now(UTC) - timedelta(hours=1))
    for entry in simulator.requests(host="api.linkedin.com"):
        assert re.fullmatch(r"20\d{4}", entry["headers"]["linkedin-version"])
        assert entry["headers"]["x-restli-protocol-version"] == "2.0.0"
