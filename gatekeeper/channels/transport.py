"""The wire under every channel: one request per call, bounded in time, to known hosts only, with no secret left behind.

tweepy and facebook-sdk both talk through a `requests` session they let us hand in. This one sends to the platform's
own origins alone (or, for the simulator, to a base URL that must be loopback), never through a proxy, never twice,
never after a redirect, and cuts the line when the deadline passes. What came back is recorded here and judged by us:
neither library looks at everything that matters.
"""

import contextlib
import ipaddress
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from gatekeeper.channels.base import Deadline
from gatekeeper.channels.errors import (
    ChannelError,
    ChannelRefused,
    ContentRejected,
    NotSent,
    OutcomeUnknown,
    PlatformUnavailable,
)
from gatekeeper.channels.told import RouteLimit, Told, no_limits
from gatekeeper.clock import Clock
from gatekeeper.errors import SettingsError

TIMEOUT = (3.05, 20.0)
CALL_LIMIT_S = 60.0
_DETAIL_CHARS = 300
# At DEBUG these print tokens, signatures and whole bodies.
_TALKATIVE = ("tweepy", "urllib3", "requests_oauthlib", "oauthlib")


#: reads the limits in the headers of one answer: the operation, the headers, the moment
ReadLimits = Callable[[str, Mapping[str, str], datetime], Iterable[RouteLimit]]


@dataclass(frozen=True)
class Answer:
    """One complete answer of a platform."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def data(self) -> dict[str, Any]:
        """The JSON object in the body; empty when it is anything else or not declared as JSON."""
        if "json" not in self.headers.get("Content-Type", "").lower():
            return {}
        try:
            read = json.loads(self.body)
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}

    @property
    def ok(self) -> bool:
        """Whether the status says success; not yet whether the body agrees."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of success


@dataclass
class _Call:
    """What happened on the wire during one call."""

    seconds: float
    requests: int = 0
    connected: bool = False
    expired: bool = False
    answer: Answer | None = None
    sock: socket.socket | None = None

    def cut(self) -> None:
        """Close the line under whoever still waits on it. `ReadTimeout` is per read, so a drip would never end."""
        self.expired = True
        if self.sock is not None:
            with contextlib.suppress(OSError):  # closed already: the call has just ended by itself
                # around the TLS layer: its own shutdown is not made for another thread
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class SecondRequest(requests.RequestException):
    """A library tried to send once more within one call; it was stopped before it did."""


class OriginAdapter(HTTPAdapter):
    """Sends at most one request per armed call, and nothing outside of one."""

    def __init__(self, *, base_url: str | None = None, timeout: tuple[float, float] = TIMEOUT) -> None:
        self._base = urlsplit(_loopback(base_url)) if base_url else None
        self._timeout = timeout
        self._call: _Call | None = None
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use connections that tell when they are connected."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _watched_pools(self._connected)

    def arm(self, seconds: float) -> _Call:
        """Allow one request, for so long."""
        self._call = _Call(seconds)
        return self._call

    def disarm(self) -> None:
        """Allow nothing any more."""
        self._call = None

    def send(self, request: requests.PreparedRequest, *_args: Any, **kwargs: Any) -> requests.Response:
        """Send the one request of this call, to where it may go, as it may go."""
        call = self._call
        if call is None or call.requests:
            raise SecondRequest("stopped before sending")
        call.requests += 1
        self._readdress(request)
        connect, read = self._timeout
        watch = threading.Timer(call.seconds, call.cut)
        watch.daemon = True
        watch.start()
        try:
            response = super().send(
                request,
                stream=False,
                timeout=(min(connect, call.seconds), min(read, call.seconds)),
                verify=kwargs.get("verify", True),
                cert=kwargs.get("cert"),
                proxies={},
            )
            body = response.content
        finally:
            watch.cancel()
            call.sock = None
            # never a connection twice: "could not connect" then proves that nothing was sent
            self.poolmanager.clear()
        call.answer = Answer(response.status_code, response.headers, body)
        return response

    def _readdress(self, request: requests.PreparedRequest) -> None:
        parts = urlsplit(request.url or "")
        query = parts.query
        pairs = parse_qsl(query, keep_blank_values=True)
        token = next((value for name, value in pairs if name == "access_token"), None)
        if token is not None:
            # a token in a URL ends up in error texts and in every log on the way
            query = urlencode([pair for pair in pairs if pair[0] != "access_token"])
            request.headers.setdefault("Authorization", f"Bearer {token}")
        request.headers["Connection"] = "close"
        if self._base:
            request.headers["Host"] = parts.netloc
            parts = parts._replace(scheme=self._base.scheme, netloc=self._base.netloc)
        request.url = urlunsplit(parts._replace(query=query))

    def _connected(self, sock: socket.socket) -> None:
        call = self._call
        if call is None or call.expired:
            raise TimeoutError("connected too late; nothing was sent")
        call.sock = sock
        call.connected = True


def make_session(
    origins: Iterable[str], *, base_url: str | None = None, timeout: tuple[float, float] = TIMEOUT
) -> tuple[requests.Session, OriginAdapter]:
    """A session that reaches these origins and nothing else, and the adapter that guards it.

    Raises:
        SettingsError: `base_url` is not on this computer.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    adapter = OriginAdapter(base_url=base_url, timeout=timeout)
    session = requests.Session()
    session.trust_env = False  # no proxy and no .netrc from the surroundings
    session.max_redirects = 0
    session.adapters.clear()
    for origin in origins:
        session.mount(origin, adapter)
    return session, adapter


class Wire:
    """Makes calls for one channel and turns what went wrong on the way into the right class of error."""

    def __init__(
        self,
        *,
        platform: str,
        adapter: OriginAdapter,
        secrets: Iterable[str],
        clock: Clock,
        limits: ReadLimits = no_limits,
    ) -> None:
        self.platform = platform
        self.posts_read = 0
        self._limits = limits
        self._told: dict[str, RouteLimit] = {}
        self._adapter = adapter
        self._secrets = sorted({s for s in secrets if s}, key=len, reverse=True)
        self._clock = clock
        self._lock = threading.Lock()

    def call(
        self, operation: str, ask: Callable[[], object], *, publishes: bool = False, deadline: Deadline | None = None
    ) -> Answer:
        """Let the library ask once and return the complete answer, whatever the library made of it.

        Raises:
            NotSent: no connection came about.
            OutcomeUnknown: a call that publishes was sent and not completely answered.
            PlatformUnavailable: the same for a call that cannot publish.
        """
        seconds = CALL_LIMIT_S
        if deadline is not None:
            seconds = min(seconds, deadline.seconds_left(self._clock.now()))
        if seconds <= 0:
            raise NotSent(platform=self.platform, operation=operation, detail="the deadline had passed")
        trouble: Exception | None = None
        with self._lock:
            call = self._adapter.arm(seconds)
            try:
                ask()
            except Exception as err:  # noqa: BLE001 - whatever the library thinks of it, what counts is what the wire saw
                trouble = err
            finally:
                self._adapter.disarm()
        if call.answer is not None:
            with contextlib.suppress(Exception):  # whatever a header says, this is the answer
                self._told |= {
                    each.route: each for each in self._limits(operation, call.answer.headers, self._clock.now())
                }
            return call.answer
        detail = "the library sent nothing" if trouble is None else f"{type(trouble).__name__}: {trouble}"
        kind = _class_of(trouble, connected=call.connected, publishes=publishes)
        # `from None`: the library's error may carry the request, and with it the token
        raise kind(platform=self.platform, operation=operation, detail=self.scrub(detail)) from None

    def told(self) -> Told:
        """What the platform told since this was last asked."""
        limits, self._told = tuple(self._told.values()), {}
        read, self.posts_read = self.posts_read, 0
        return Told(limits=limits, posts_read=read)

    def scrub(self, text: str) -> str:
        """The text without any secret, cut to a length that can be kept."""
        for secret in self._secrets:
            for form in (secret, quote(secret, safe=""), quote_plus(secret)):
                text = text.replace(form, "[secret]")
        return text if len(text) <= _DETAIL_CHARS else text[: _DETAIL_CHARS - 1] + "…"


def _class_of(trouble: Exception | None, *, connected: bool, publishes: bool) -> type[ChannelError]:
    """What it means that no complete answer came."""
    if connected:
        return OutcomeUnknown if publishes else PlatformUnavailable
    if isinstance(trouble, OSError):  # every error of `requests` is one
        return NotSent
    # text that cannot even be encoded, or a library that did not get as far as the wire
    return ContentRejected if isinstance(trouble, ValueError) else ChannelRefused


def _loopback(base_url: str) -> str:
    """The base URL, when it is plain and on this computer: tokens must never be sent anywhere else."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    plain = parts.scheme in {"http", "https"} and parts.path in {"", "/"} and not parts.query and not parts.username
    if not (local and plain):
        raise SettingsError(f"The platform base URL {host or base_url!r} is not on this computer, so it is refused.")
    return base_url


def _watched_pools(connected: Callable[[socket.socket], None]) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools whose connections report themselves before the first byte, fresh or reused."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            connected(self.sock)

        def request(self, *args: Any, **kwargs: Any) -> None:
            if self.sock is not None:
                connected(self.sock)
            super().request(*args, **kwargs)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            connected(self.sock)

        def request(self, *args: Any, **kwargs: Any) -> None:
            if self.sock is not None:
                connected(self.sock)
            super().request(*args, **kwargs)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
