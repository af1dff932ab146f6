"""How long people wait for a page while 40 others upload a photo over a slow line.

    python tests/benchmarks/bench_form.py [--uploads 40] [--seconds 20]

A real `gatekeeper web` on a database of its own; each upload drips a kilobyte every half second and so lasts longer than
the measurement. Prints p50, p95 and max of the sign-in page and of the form for a post, first alone, then meanwhile.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from gatekeeper.bootstrap import prepare
from gatekeeper.channels import seal
from gatekeeper.db.session import Database
from gatekeeper.ops.kinship import bound_to_me
from gatekeeper.people.sessions import begin_session
from gatekeeper.people.staff import Role
from gatekeeper.settings import load_settings
from tests.benchmarks import publish_school
from tests.fixtures.signing import LEDGER_KEY, SIGNER

_SIZE, _DRIP, _EVERY = 2_000_000, 1024, 0.5
_PAGES = ("/signin", "/posts/new")


def main() -> int:
    """Measure both pages, alone and beside the uploads."""
    asked = argparse.ArgumentParser(description="Measure pages beside slow uploads.")
    asked.add_argument("--uploads", type=int, default=40)
    asked.add_argument("--seconds", type=float, default=20)
    told = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="gk-bench-") as folder, _site(Path(folder)) as (port, cookie):
        print(f"{'':34}{'asked':>7}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}  load")
        _measure("alone", port, cookie, told.seconds / 4)
        stop = threading.Event()
        uploads = [threading.Thread(target=_drip, args=(port, cookie, stop), daemon=True) for _ in range(told.uploads)]
        for upload in uploads:
            upload.start()
        time.sleep(1)
        _measure(f"beside {told.uploads} slow uploads", port, cookie, told.seconds)
        cut = sum(not upload.is_alive() for upload in uploads)
        stop.set()
        for upload in uploads:
            upload.join()
    print(f"uploads cut off meanwhile: {cut}")
    return 1 if cut else 0


def _measure(name: str, port: int, cookie: str, seconds: float) -> None:
    took: dict[str, list[float]] = {page: [] for page in _PAGES}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for page in _PAGES:
            began = time.perf_counter()
            line = HTTPConnection("127.0.0.1", port, timeout=60)
            line.request(
                "GET",
                page,
                headers={"Host": f"localhost:{port}", "Cookie": f"gatekeeper={cookie}" if page != "/signin" else ""},
            )
            reply = line.getresponse()
            reply.read()
            line.close()
            assert reply.status == 200, (page, reply.status)
            took[page].append((time.perf_counter() - began) * 1000)
            time.sleep(0.02)
    for page, times in took.items():
        times.sort()
        print(
            f"{f'{page}, {name}':34}{len(times):7}{times[len(times) // 2]:9.1f}{times[int(len(times) * 0.95)]:9.1f}"
            f"{times[-1]:9.1f}  {os.getloadavg()[0]:.1f}",
            flush=True,
        )


def _drip(port: int, cookie: str, stop: threading.Event) -> None:
    """One photo over a slow line, until told to stop or cut off."""
    with socket.create_connection(("127.0.0.1", port)) as line, suppress(OSError):
        line.sendall(
            f"POST /posts/new HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: gatekeeper={cookie}\r\n"
            f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {_SIZE}\r\n\r\n".encode()
        )
        while not stop.wait(_EVERY):
            line.sendall(b"x" * _DRIP)


@contextmanager
def _site(folder: Path) -> Iterator[tuple[int, str]]:
    """A running site's port, and the cookie of somebody signed in as an author."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    env = {
        **os.environ, "GATEKEEPER_DATA": str(folder), "GATEKEEPER_PORT": str(port), "GATEKEEPER_LEDGER_KEY": LEDGER_KEY,
        "GATEKEEPER_URL": f"http://localhost:{port}", "GATEKEEPER_WEB_KEY": b64encode(os.urandom(32)).decode(),
        "GATEKEEPER_SEAL_PUBLIC": seal.make_keypair()[0], "REDIS_URL": f"unix://{folder / 'none.sock'}",
    }  # fmt: skip
    settings = load_settings("web", env)
    prepare(settings)
    db, now = Database(settings.database_url, signer=SIGNER), datetime.now(UTC)
    ids = publish_school.found(db, now=now)
    with db.begin() as session:
        cookie = begin_session(session, ids[Role.AUTHOR], now=now)
    db.engine.dispose()
    web = subprocess.Popen(
        [sys.executable, "-m", "gatekeeper", "web"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=bound_to_me(),  # noqa: PLW1509 - one prctl call, its library loaded before
    )  # fmt: skip
    try:
        for _ in range(600):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            assert web.poll() is None, "the site did not start"
            time.sleep(0.05)
        yield port, cookie
    finally:
        web.terminate()
        web.wait(timeout=20)


if __name__ == "__main__":
    sys.exit(main())
