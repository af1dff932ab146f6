"""No token, key or signature in an error, in its traceback, or in a log at DEBUG, whatever goes wrong."""

import traceback
from collections.abc import Callable

import pytest

from gatekeeper.channels.base import Channel, Credentials, MediaItem, RenderedPost
from gatekeeper.channels.errors import ChannelError
from gatekeeper.channels.registry import build_channel
from gatekeeper.clock import SystemClock
from gatekeeper.simulator.server import Simulator

MISSING = {"x": "222", "facebook": "111_222", "linkedin": "urn:li:share:222"}
FAULTS = ["drop_before", "accept_then_drop", "accept_then_5xx", "accept_then_garbage", "redirect", "echo"]


def attempts(channel: Channel, photo: MediaItem) -> list[Callable[[], object]]:
    return [
        channel.verify_credentials,
        lambda: channel.upload_media(photo),
        lambda: channel.create_post(RenderedPost("Sports day"), []),
        lambda: channel.get_post(MISSING[channel.kind]),
        lambda: channel.delete_post(MISSING[channel.kind]),
    ]


def check_hidden(text: str, credentials: Credentials) -> None:
    for name, secret in credentials.secrets.items():
        if name not in {"app_id", "client_id"}:  # names that the platforms show to everybody
            assert secret not in text, f"{name} shows"
    assert "oauth_signature" not in text


@pytest.mark.parametrize("fault", [*FAULTS, "unreachable"])
def test_no_failure_tells_a_secret(
    simulator: Simulator,
    kind: str,
    draw: Callable[..., MediaItem],
    everything_logged: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    credentials = simulator.credentials(kind)
    base_url = "http://127.0.0.1:9" if fault == "unreachable" else simulator.base_url
    channel = build_channel(credentials, clock=SystemClock(), base_url=base_url)
    for attempt in attempts(channel, draw()):
        if fault == "echo":  # Meta does repeat a token it cannot read
            echoed = " ".join(credentials.secrets.values())
            body = f'{{"title": "{echoed}", "detail": "{echoed}", "error": {{"code": 190, "message": "{echoed}"}}}}'
            simulator.fault("status", status=400, body=body)
        elif fault != "unreachable":
            simulator.fault(fault)
        with pytest.raises(ChannelError) as raised:
            attempt()
        err = raised.value
        told = [str(err), repr(err), err.detail, str(vars(err)), *traceback.format_exception(err)]
        check_hidden("\n".join(told), credentials)
    check_hidden(everything_logged.text, credentials)


def test_a_printed_channel_or_its_credentials_tell_no_secret(channel: Channel, simulator: Simulator, kind: str) -> None:
    credentials = simulator.credentials(kind)
    check_hidden(f"{credentials!r} {credentials} {channel!r}", credentials)


def test_no_secret_travels_in_a_url(channel: Channel, simulator: Simulator, kind: str) -> None:
    published = channel.create_post(RenderedPost("Sports day"), [])
    channel.get_post(published.id)
    channel.delete_post(published.id)
    assert len(simulator.requests()) >= 4
    for entry in simulator.requests():
        assert "access_token" not in entry["query"]
        assert "Bearer None" not in entry["headers"].get("authorization", "")
