"""The web server as a real process that is told to stop in the middle of things."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gatekeeper.ops.kinship import bound_to_me

ROOT = Path(__file__).resolve().parents[3]
Wait = Callable[..., None]

_SITE = """
import sys, time
from gatekeeper.ops.serve import serve
def site(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/slow":
        time.sleep(1)
    if path == "/posted":
        body = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(len(body)).encode()]
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Seen", environ.get("HTTP_X_FORWARDED_FOR", "-"))])
    return [b"x" * 3_000_000 if path == "/large" else b"done"]
serve(site, host="127.0.0.1", port=int(sys.argv[1]), behind_proxy=sys.argv[2] == "proxy")
"""


class Site:
    def __init__(self, mode: str = "alone") -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SITE, str(self.port), mode],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            preexec_fn=bound_to_me(),  # noqa: PLW1509 - one prctl call, its library loaded before
        )

    def is_up(self) -> bool:
        assert self.process.poll() is None
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def ask(self, path: str) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path, headers={"X-Forwarded-For": "192.0.2.7"})
        return connection


@pytest.fixture
def make_site(wait_until: Wait) -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def make(mode: str = "alone") -> Site:
        made.append(Site(mode))
        wait_until(made[-1].is_up)
        return made[-1]

    yield make
    for site in made:
        site.process.kill()
        site.process.wait()


@pytest.mark.parametrize("path", ["/slow", "/large"])
def test_a_request_at_work_is_answered_in_full_although_the_server_was_told_to_stop(
    make_site: Callable[..., Site], path: str
) -> None:
    site = make_site()
    connection = site.ask(path)
    time.sleep(0.4)
    site.process.send_signal(signal.SIGTERM)
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.read() in (b"done", b"x" * 3_000_000)
    connection.close()
    assert site.process.wait(timeout=5) == 0


def test_stops_at_once_while_forty_slow_uploads_are_open(make_site: Callable[..., Site]) -> None:
    site = make_site()
    uploads = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(40)]
    for upload in uploads:
        upload.sendall(b"POST /posted HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nbeginning")
    connection = site.ask("/")
    assert connection.getresponse().read() == b"done"  # slow uploads cost no thread
    site.process.send_signal(signal.SIGTERM)
    assert site.process.wait(timeout=60) == 0  # the uploads would never end
    for upload in uploads:
        upload.close()
    connection.close()


def test_cannot_send_more_than_a_photo_with_its_form(make_site: Callable[..., Site]) -> None:
    site = make_site()
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as wire:
        wire.sendall(b"POST /posted HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40000000\r\n\r\n")
        assert wire.recv(200).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(("mode", "seen"), [("alone", "-"), ("proxy", "192.0.2.7")])
def test_nobody_lends_himself_an_address_unless_there_is_a_proxy(
    make_site: Callable[..., Site], mode: str, seen: str
) -> None:
    connection = make_site(mode).ask("/")
    assert connection.getresponse().headers["X-Seen"] == seen
    connection.close()
