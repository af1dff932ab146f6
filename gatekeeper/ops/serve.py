"""Serves a WSGI application by waitress: slow uploads cost no thread, and a stop lets running requests finish."""

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

from waitress import create_server, wasyncore

_LARGEST_REQUEST = 30 * 1024 * 1024  # one photo of 25 MB with its form
_FLUSHED_WITHIN = 1.0


def serve(application: Callable[..., Any], *, host: str, port: int, behind_proxy: bool = False) -> None:
    """Answer requests until SIGTERM or Ctrl-C.

    Raises:
        OSError: the address cannot be listened on.
    """
    connections: dict[int, Any] = {}
    server = create_server(
        application,
        map=connections,
        host=host,
        port=port,
        threads=8,
        max_request_body_size=_LARGEST_REQUEST,
        connection_limit=200,
        channel_timeout=60,
        ident=None,
        clear_untrusted_proxy_headers=not behind_proxy,  # behind one, the application counts the proxies it trusts
    )
    signal.signal(signal.SIGTERM, _leave)
    server.run()  # ends by SystemExit: waits for the threads that are at work
    deadline = time.monotonic() + _FLUSHED_WITHIN
    while _unsent(connections) and time.monotonic() < deadline:
        wasyncore.loop(timeout=0.05, map=connections, count=1)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the farewell
    raise SystemExit(0)


def _unsent(connections: dict[int, Any]) -> bool:
    return any(getattr(channel, "total_outbufs_len", 0) for channel in connections.values())
