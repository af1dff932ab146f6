"""The reply to an approval leaves only after the disk said that it keeps it: as the kernel saw it, by strace."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from approvals.tables import ApprovalRequest
from gatekeeper.web.decide_link import COOKIE
from tests.factories.school import School
from tests.fixtures.serving import Serve
from tests.gatekeeper.web.decide.asking import WORDS, link_to, proved

_CALL = re.compile(r"(?P<call>\w+)\((?P<rest>.*)")


@contextmanager
def _watched(told: Path) -> Iterator[None]:
    """What this process asks of the kernel meanwhile, or a skipped test where nobody may look."""
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed")
    watcher = subprocess.Popen(
        [
            program,
            "-f",
            "-y",
            "-s",
            "24",
            "-e",
            "trace=pwrite64,fdatasync,fsync,sendto",
            "-o",
            told,
            "-p",
            str(os.getpid()),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watcher.stderr is not None
    if "attached" not in watcher.stderr.readline():
        watcher.wait()
        pytest.skip("this computer lets no process look at another")
    try:
        yield
    finally:
        watcher.terminate()
        watcher.communicate(timeout=10)


def _kept_before_reply(told: str) -> bool:
    """Whether everything that was written into the database was synced when the first byte of the reply left."""
    written = synced = False
    for line in told.splitlines():
        call = _CALL.search(line)
        if call is None:
            continue
        if call["call"] == "sendto" and '"HTTP/1.1 303' in call["rest"]:
            assert written, "nothing was written before the reply"
            return synced
        if "gatekeeper.db-wal" in call["rest"]:
            written, synced = written or call["call"] == "pwrite64", call["call"] in ("fdatasync", "fsync")
    raise AssertionError("no reply was seen")


@pytest.mark.parametrize("keeps", [True, False], ids=["as it is", "without syncing"])
def test_the_reply_to_an_approval_leaves_only_after_the_disk_has_it(
    head: FlaskClient, site: Flask, school: School, serve: Serve, keeps: bool
) -> None:
    address = proved(head, link_to(school, school.post()))
    cookie = head.get_cookie(COOKIE, path=address)
    assert cookie is not None
    with school.services.db.read() as session:
        digest = session.get_one(ApprovalRequest, address.rsplit("/", 1)[-1]).digest
    if not keeps:  # the test of the test: with this setting the reply goes first, and is seen to
        event.listen(school.services.db.engine, "checkout", _stop_syncing)
    line = HTTPConnection(urlsplit(serve(site)).netloc, timeout=30)
    told = school.services.settings.data / "calls"
    with _watched(told):
        line.request(
            "POST", address, urlencode({"digest": digest, "verdict": "approve", **WORDS}),
            {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"{COOKIE}={cookie.value}"},
        )  # fmt: skip
        reply = line.getresponse()
        reply.read()
        line.close()
        time.sleep(0.05)
    assert reply.status == 303
    assert _kept_before_reply(told.read_text()) is keeps


def _stop_syncing(connection: object, _record: object, _proxy: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]  # the driver's own connection
