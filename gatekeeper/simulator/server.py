"""The simulator as one loopback server: routes by `Host`, keeps the request log, and spoils what a fault orders.

A fault may need the bare socket (close it without a byte, answer a byte a second), so this is the standard library's
threading server and no web framework.
"""

import ipaddress
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from gatekeeper.channels.base import Credentials
from gatekeeper.errors import SettingsError
from gatekeeper.simulator import graph, linkedin, x
from gatekeeper.simulator.canned import canned, x_problem
from gatekeeper.simulator.config import SimulatorConfig
from gatekeeper.simulator.control import Control
from gatekeeper.simulator.faults import Fault, Faults, Mode, spoil
from gatekeeper.simulator.messages import Reply, Request, json_reply
from gatekeeper.simulator.outsider import Outsider
from gatekeeper.simulator.pictures import HOSTS, PictureServer
from gatekeeper.simulator.public import PublicPage
from gatekeeper.simulator.state import SimPost, State

_BODY_BYTES = 30_000_000
_LOCAL = {"127.0.0.1", "localhost", "[::1]", "::1"}
_OUTAGE = {x.HOST: "x.503", graph.HOST: "graph.2", linkedin.HOST: "linkedin.500", linkedin.SITE_HOST: "linkedin.500"}


class _Platform(Protocol):
    def answer(self, request: Request) -> Reply:
        """The platform's reply to one request."""


class Simulator:
    """All platforms and their public page on one port; a context manager that starts and stops them.

    Args:
        folder: where the timelines are kept over a restart; None keeps them in memory.
        host: a loopback address.
        port: 0 takes a free one.
        config: accounts, keys, limits and clock.
    """

    def __init__(
        self,
        *,
        folder: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        config: SimulatorConfig | None = None,
    ) -> None:
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise SettingsError(f"The simulator serves this computer only, not {host}.")
        self.config = config or SimulatorConfig()
        self.state = State(folder)
        self.faults = Faults()
        self.control = Control(self.config, self.state, self.faults)
        of_linkedin = linkedin.LinkedInApi(self.config, self.state)
        self._platforms: Mapping[str, _Platform] = {
            x.HOST: x.XApi(self.config, self.state),
            graph.HOST: graph.GraphApi(self.config, self.state),
            linkedin.HOST: of_linkedin,
            linkedin.SITE_HOST: of_linkedin,
            **{host: PictureServer(kind, self.config, self.state) for kind, host in HOSTS.items()},
        }
        self._public = PublicPage(self.config, self.state)
        self._outsider = Outsider(self.control, self.state)
        self.stopping = threading.Event()
        self._server = _Server((host, port), self)
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """Where the channels reach the platforms and a browser the timelines."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def x_credentials(self) -> Credentials:
        """The keys of the simulated X account."""
        return self.config.x_credentials()

    def facebook_credentials(self) -> Credentials:
        """The keys of the simulated Facebook Page."""
        return self.config.facebook_credentials()

    def credentials(self, kind: str) -> Credentials:
        """The keys of the simulated account of this kind."""
        return self.config.credentials(kind)

    def posts(self, kind: str) -> list[SimPost]:
        """The posts the public can see on this platform, oldest first."""
        return self.state.live(kind, self.config.clock.now())

    def requests(self, method: str | None = None, *, host: str | None = None) -> list[dict[str, Any]]:
        """The log of what the platforms were asked, oldest first."""
        with self.state.lock:
            return [
                entry
                for entry in self.state.requests
                if method in {None, entry["method"]} and host in {None, entry["host"]}
            ]

    def fault(self, mode: Mode | str, **order: Any) -> None:
        """Spoil coming requests to a platform."""
        self.control.order_fault({"mode": str(mode), **order})

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def serve_forever(self) -> None:
        """Serve in this thread until the process is told to end."""
        try:
            self._server.serve_forever(0.2)
        finally:
            self._close()

    def stop(self) -> None:
        """Stop serving, end every sleeping fault, and let go of the file."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(5)
        self._close()

    def _close(self) -> None:
        self.stopping.set()
        self._server.server_close()
        self.state.close()

    def answer(self, request: Request) -> tuple[Reply | None, Fault | None]:
        """The reply to one request, or None to close the line without a byte; and the fault that is at work."""
        platform = self._platforms.get(request.host)
        if platform is not None:
            if request.path.startswith("/_sim/"):
                return x_problem(404, "Not Found", "Not Found"), None
            return self._platform_answer(platform, request)
        if (urlsplit(f"//{request.host}").hostname or "") not in _LOCAL:
            return json_reply(421, {"error": "This host is not simulated."}), None
        answers: _Platform = self.control if request.path.startswith("/_sim/") else self._public
        if (request.method, request.path) == ("POST", "/outside"):
            answers = self._outsider
        if request.path == "/_sim/reset":
            with self.state.lock:
                return self.control.answer(request), None
        with self.state.changing():
            return answers.answer(request), None

    def _platform_answer(self, platform: _Platform, request: Request) -> tuple[Reply | None, Fault | None]:
        fault = self.faults.take(request)
        entry = {**request.record(), "at": self.config.clock.now().isoformat(), "fault": fault.mode if fault else None}
        mode = fault.mode if fault else None
        reply: Reply | None = None
        if fault is not None and mode is Mode.STATUS:
            reply = self._fixed(fault)
        elif mode is Mode.REDIRECT:
            reply = Reply(307, b"", {"Location": f"https://{request.host}{request.path}"})
        elif mode is not Mode.DROP_BEFORE:
            if fault is not None and mode is Mode.DELAY:
                self.stopping.wait(fault.seconds)
            with self.state.changing():
                reply = platform.answer(request)
                self._hide(reply, fault)
            reply = self._spoiled(reply, request, fault)
        self.state.log({**entry, "status": reply.status if reply else None})
        return reply, fault

    def _fixed(self, fault: Fault) -> Reply:
        if fault.canned:
            return canned(fault.canned, self.config.clock.now())
        return Reply(fault.status, fault.body.encode(), {"Content-Type": "application/json", **fault.headers})

    def _spoiled(self, reply: Reply, request: Request, fault: Fault | None) -> Reply | None:
        match fault.mode if fault else None:
            case Mode.ACCEPT_THEN_DROP:
                return None
            case Mode.ACCEPT_THEN_DELAY:
                assert fault is not None
                self.stopping.wait(fault.seconds)
            case Mode.ACCEPT_THEN_5XX:
                return canned(_OUTAGE[request.host], self.config.clock.now())
            case Mode.ACCEPT_THEN_GARBAGE:
                assert fault is not None
                return spoil(reply, fault.garbage)
        return reply

    def _hide(self, reply: Reply, fault: Fault | None) -> None:
        post = self.state.find_post(reply.created) if reply.created else None
        if post is None or fault is None:
            return
        if fault.mode is Mode.NEVER_LISTED:
            post.never_listed = True
        elif fault.mode is Mode.VISIBILITY_LAG:
            post.listed_from = (self.config.clock.now() + timedelta(seconds=fault.seconds)).isoformat()
        self.state.save_post(post)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], simulator: Simulator) -> None:
        self.simulator = simulator
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent when a client has gone, or the simulator itself: giving up is what some of them are here to do."""
        if not isinstance(sys.exception(), OSError) and not self.simulator.stopping.is_set():
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "simulator"
    sys_version = ""
    timeout = 60
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the standard library
        """Log nothing here: the request log is in the state."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _BODY_BYTES:
            self.close_connection = True
            self._send(json_reply(413, {"error": "too large"}), None)
            return
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True  # the client died while sending: half a request never takes effect
            return
        request = Request(
            method=self.command,
            host=self.headers.get("Host", "").lower(),
            path=path,
            query_string=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        reply, fault = self.server.simulator.answer(request)
        if reply is None:
            self.close_connection = True
            return
        self._send(reply, fault)

    do_GET = do_HEAD = do_POST = do_DELETE = do_PUT = _serve  # noqa: N815 - the names the standard library looks for

    def _send(self, reply: Reply, fault: Fault | None) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        body = b"" if self.command == "HEAD" else reply.body
        with suppress(OSError):  # the client may have given up: some are here to do just that
            if fault is not None and fault.mode is Mode.DRIP:
                self._drip(body)
                return
            self.end_headers()
            self.wfile.write(body)

    def _drip(self, body: bytes) -> None:
        if body:
            self.end_headers()
        else:  # where the headers are all there is, they drip
            body = b"".join([*self._headers_buffer, b"\r\n"])
            self._headers_buffer: list[bytes] = []
        for byte in body:
            if self.server.simulator.stopping.wait(1):
                return
            self.wfile.write(bytes((byte,)))
            self.wfile.flush()


def serve(host: str, port: int, *, folder: Path, config: SimulatorConfig | None = None) -> None:
    """Serve until the process is told to end."""
    Simulator(folder=folder, host=host, port=port, config=config).serve_forever()
