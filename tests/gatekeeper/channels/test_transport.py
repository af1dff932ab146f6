import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest
import requests

from gatekeeper.channels.base import Deadline
from gatekeeper.channels.errors import ChannelRefused, ContentRejected, NotSent, OutcomeUnknown, PlatformUnavailable
from gatekeeper.channels.transport import SecondRequest, Wire, make_session
from gatekeeper.clock import SystemClock
from gatekeeper.errors import SettingsError

ORIGIN = "https://api.platform.example"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n" + b'{"id": "123"}'


class Listener:
    """A server of raw bytes: keeps what each connection sent, answers what the test says, and keeps the line open."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.heard: list[bytes] = []
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(line)
            line.settimeout(5)
            heard = b""
            while b"\r\n\r\n" not in heard:
                more = line.recv(65536)
                if not more:
                    break
                heard += more
            self.heard.append(heard)
            with suppress(OSError):
                self._answer(line)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)
        for line in self._open:
            line.close()


@contextmanager
def listening(answer: Callable[[socket.socket], None] = lambda line: line.sendall(ANSWER)) -> Iterator[Listener]:
    listener = Listener(answer)
    try:
        yield listener
    finally:
        listener.close()


def wired(
    base_url: str | None, *, secrets: tuple[str, ...] = (), patience: float = 1.0
) -> tuple[requests.Session, Wire]:
    session, adapter = make_session([ORIGIN], base_url=base_url, timeout=(patience, patience))
    return session, Wire(platform="Platform", adapter=adapter, secrets=secrets, clock=SystemClock())


@pytest.mark.parametrize(
    "base_url",
    [
        "http://192.0.2.1:80",
        "https://api.twitter.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://user@127.0.0.1",
        "http://127.0.0.1/elsewhere",
        "http://127.0.0.1?to=elsewhere",
        "ftp://127.0.0.1",
        "http://0.0.0.0:8000",
        "http://[2001:db8::1]",
        "127.0.0.1:8000",
        "nonsense",
    ],
)
def test_cannot_be_pointed_anywhere_but_at_this_computer(base_url: str) -> None:
    with pytest.raises(SettingsError):
        make_session([ORIGIN], base_url=base_url)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000"])
def test_may_be_pointed_at_this_computer(base_url: str) -> None:
    make_session([ORIGIN], base_url=base_url)


def test_cannot_reach_any_other_origin() -> None:
    with listening() as listener:
        session, wire = wired(listener.base_url)
        for elsewhere in ("https://evil.example/", f"{listener.base_url}/", "http://api.platform.example/"):
            with pytest.raises(NotSent):
                wire.call("read", lambda url=elsewhere: session.get(url))
        assert listener.heard == []


def test_cannot_send_outside_of_a_call() -> None:
    with listening() as listener:
        session, _ = wired(listener.base_url)
        with pytest.raises(SecondRequest):
            session.get(f"{ORIGIN}/2/tweets")
        assert listener.heard == []


def test_cannot_send_twice_in_one_call() -> None:
    """A library that retries on its own must not be able to publish twice."""

    def drop(line: socket.socket) -> None:
        line.close()

    with listening(drop) as listener:
        session, wire = wired(listener.base_url)

        def insist() -> None:
            for _ in range(2):
                try:
                    session.post(f"{ORIGIN}/2/tweets", json={})
                except SecondRequest:
                    raise
                except requests.ConnectionError:
                    continue

        with pytest.raises(OutcomeUnknown):
            wire.call("create_post", insist, publishes=True)
        assert len(listener.heard) == 1


def test_every_call_has_a_connection_of_its_own() -> None:
    """On a kept connection a drop would look like "could not connect", and be taken for certainly not sent."""
    with listening() as listener:
        session, wire = wired(listener.base_url)
        for _ in range(5):
            assert wire.call("read", lambda: session.get(f"{ORIGIN}/x")).data == {"id": "123"}
        assert len(listener.heard) == 5
        assert all(b"Connection: close" in heard for heard in listener.heard)


def test_keeps_the_name_of_the_platform_and_moves_the_token_out_of_the_url() -> None:
    with listening() as listener:
        session, wire = wired(listener.base_url)
        wire.call("read", lambda: session.get(f"{ORIGIN}/me", params={"access_token": "t0ken&", "fields": "id,name"}))
        [heard] = listener.heard
    first, *headers = heard.decode().split("\r\n")
    assert first == "GET /me?fields=id%2Cname HTTP/1.1"
    assert "Host: api.platform.example" in headers
    assert "Authorization: Bearer t0ken&" in headers


def test_proxies_and_netrc_of_the_surroundings_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as listener:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://192.0.2.1:3128")
        session, wire = wired(listener.base_url)
        assert wire.call("read", lambda: session.get(f"{ORIGIN}/me")).ok


@pytest.mark.parametrize("publishes", [True, False])
def test_a_silent_platform_is_left_at_the_deadline(publishes: bool) -> None:
    with listening(lambda _line: None) as listener:
        session, wire = wired(listener.base_url, patience=1000)
        with pytest.raises(OutcomeUnknown if publishes else PlatformUnavailable):
            wire.call(
                "call",
                lambda: session.post(f"{ORIGIN}/x"),
                publishes=publishes,
                deadline=Deadline.after(datetime.now(UTC), 0.4),
            )


def test_headers_that_drip_are_cut_off_too() -> None:
    """`ReadTimeout` counts from byte to byte, so without the deadline all of the answer would be waited for."""
    dripped = bytearray()

    def drip(line: socket.socket) -> None:
        for byte in ANSWER:
            line.sendall(bytes((byte,)))
            dripped.append(byte)
            threading.Event().wait(0.2)

    with listening(drip) as listener:
        session, wire = wired(listener.base_url)
        soon = Deadline.after(datetime.now(UTC), 0.7)
        with pytest.raises(OutcomeUnknown):
            wire.call("call", lambda: session.post(f"{ORIGIN}/x"), publishes=True, deadline=soon)
        assert 0 < len(dripped) < len(ANSWER) / 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
        b"HTTP/1.1 20",
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    ],
)
def test_half_an_answer_is_no_answer(answer: bytes) -> None:
    def half(line: socket.socket) -> None:
        line.sendall(answer)
        line.close()

    with listening(half) as listener:
        session, wire = wired(listener.base_url)
        with pytest.raises(OutcomeUnknown):
            wire.call("create_post", lambda: session.post(f"{ORIGIN}/x"), publishes=True)


def test_text_that_cannot_be_encoded_is_refused_before_sending() -> None:
    with listening() as listener:
        session, wire = wired(listener.base_url)
        with pytest.raises(ContentRejected):
            wire.call("create_post", lambda: session.post(f"{ORIGIN}/x", data={"message": "\ud800"}), publishes=True)
        assert listener.heard == []


def test_a_library_that_fails_before_sending_is_a_matter_for_a_person() -> None:
    def broken() -> None:
        raise KeyError("surprise")

    _, wire = wired("http://127.0.0.1:9")
    with pytest.raises(ChannelRefused) as raised:
        wire.call("create_post", broken, publishes=True)
    assert "KeyError" in raised.value.detail


def test_what_the_wire_saw_counts_more_than_what_the_library_says() -> None:
    with listening() as listener:
        session, wire = wired(listener.base_url)

        def breaks_afterwards() -> None:
            session.post(f"{ORIGIN}/x")
            raise AttributeError("'list' object has no attribute 'get'")

        assert wire.call("create_post", breaks_afterwards, publishes=True).data == {"id": "123"}


def test_scrubs_secrets_in_every_spelling_and_keeps_the_text_short() -> None:
    _, wire = wired(None, secrets=("a secret/with+signs", ""))
    text = "x=a%20secret%2Fwith%2Bsigns y=a+secret%2Fwith%2Bsigns z=a secret/with+signs"
    assert wire.scrub(text) == "x=[secret] y=[secret] z=[secret]"
    assert len(wire.scrub("long " * 1000)) == 300


def test_holds_talkative_libraries_back() -> None:
    for name in ("tweepy", "urllib3", "oauthlib", "requests_oauthlib"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    make_session([ORIGIN])
    for name in ("tweepy.client", "urllib3.connectionpool", "oauthlib.oauth1", "requests_oauthlib.oauth1_auth"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
