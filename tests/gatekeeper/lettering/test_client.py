"""The reading service answers what the reader reads, and whatever goes wrong is "not scanned"."""

import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from gatekeeper.errors import NotScanned
from gatekeeper.lettering.client import ReaderClient
from gatekeeper.lettering.reading import Code, Line, Reading
from gatekeeper.lettering.service import reading_service
from gatekeeper.sandbox.service import keeper_environment
from gatekeeper.sandbox.wire import HEADER
from tests.gatekeeper.lettering.drawn import photo, thing

BADGE = photo([thing("badge", "Yusuf Bramley", 24, random.Random(3))], 0, (480, 320), random.Random(3))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReaderClient]:
    with reading_service(tmp_path_factory.mktemp("letters")) as client:
        client.wait_until_ready()
        yield client


def child_of(client: ReaderClient) -> psutil.Process:
    keeper = next(one for one in psutil.Process().children() if str(client.socket_path) in one.cmdline())
    return keeper.children()[0]


def test_what_the_photo_says_comes_back(service: ReaderClient) -> None:
    assert "Yusuf Bramley" in [line.text for line in service.read(BADGE).lines]
    assert service.read(np.full((120, 160, 3), 99, np.uint8)) == Reading()


def test_a_killed_child_means_not_scanned_and_the_next_photo_is_read(service: ReaderClient) -> None:
    child = child_of(service)
    idle = child.num_fds()

    def kill_in_the_middle() -> None:
        while child.num_fds() == idle:
            time.sleep(0.002)
        child.kill()

    killer = threading.Thread(target=kill_in_the_middle)
    killer.start()
    with pytest.raises(NotScanned, match="reader of letters stopped while it looked"):
        service.read(BADGE)
    killer.join()
    assert service.read(BADGE).lines


def test_no_secret_reaches_the_readers(service: ReaderClient) -> None:
    assert set(child_of(service).environ()) == set(keeper_environment(children=1))


def test_no_service_means_not_scanned(tmp_path: Path) -> None:
    with pytest.raises(NotScanned, match="reader of letters is not running"):
        ReaderClient(tmp_path / "absent.sock", start_timeout=0.2).read(BADGE)


def answered(tmp_path: Path, answer: bytes) -> Reading:
    pixels = np.zeros((30, 40, 3), np.uint8)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.sock"))
        listener.listen(1)

        def answer_once() -> None:
            connection, _ = listener.accept()
            with connection:
                left = HEADER.size + pixels.size
                while left:
                    left -= len(connection.recv(left))
                connection.sendall(answer)

        thread = threading.Thread(target=answer_once)
        thread.start()
        try:
            return ReaderClient(tmp_path / "s.sock", timeout=5).read(pixels)
        finally:
            thread.join(5)


def test_an_answer_in_order_is_believed(tmp_path: Path) -> None:
    message = {"lines": [[1, 2, 30, 20, "Year 4", 0.75]], "codes": [[0, 0, 9.5, 9.5, "hello", "QR Code"]]}
    assert answered(tmp_path, json.dumps(message).encode() + b"\n") == Reading(
        (Line((1.0, 2.0, 30.0, 20.0), "Year 4", 0.75),), (Code((0.0, 0.0, 9.5, 9.5), "hello", "QR Code"),)
    )


LINE = [1, 2, 30, 20, "Year 4", 0.75]


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"lines": []},
        {"lines": None, "codes": []},
        {"lines": [LINE[:5]], "codes": []},
        {"lines": [[*LINE[:5], 1.5]], "codes": []},
        {"lines": [[*LINE[:5], "high"]], "codes": []},
        {"lines": [[*LINE[:5], float("nan")]], "codes": []},
        {"lines": [[1, 2, 41, 20, "Year 4", 0.75]], "codes": []},
        {"lines": [[-1, 2, 30, 20, "Year 4", 0.75]], "codes": []},
        {"lines": [[9, 2, 9, 20, "Year 4", 0.75]], "codes": []},
        {"lines": [[float("nan"), 2, 30, 20, "Year 4", 0.75]], "codes": []},
        {"lines": [[1, 2, 30, 20, 4, 0.75]], "codes": []},
        {"lines": [[1, 2, 30, 20, "a\u001b[2J", 0.75]], "codes": []},
        {"lines": [[1, 2, 30, 20, "x" * 7101, 0.75]], "codes": []},
        {"lines": [LINE] * 1001, "codes": []},
        {"lines": [], "codes": [[0, 0, 9, 9, "hello", 4]]},
        {"lines": [], "codes": [[0, 0, 9, 9, "hello", "k" * 41]]},
    ],
    ids=range(17),
)
def test_an_answer_that_makes_no_sense_means_not_scanned(tmp_path: Path, message: dict[str, object]) -> None:
    with pytest.raises(NotScanned, match="reader of letters gave an answer that makes no sense"):
        answered(tmp_path, json.dumps(message).encode() + b"\n")
