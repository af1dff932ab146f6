"""An engine in a process of its own: it answers, it dies, it lies, and never does silence pass for an answer."""

import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from gatekeeper.errors import NotScanned
from gatekeeper.sandbox.client import EngineClient
from gatekeeper.sandbox.service import cores, keeper_environment, threads_for
from gatekeeper.sandbox.wire import HEADER, MAGIC, MAX_PARAMETERS, request, understood

ENGINE = textwrap.dedent("""
    import os, resource, sys, time
    from gatekeeper.errors import NotScanned
    from gatekeeper.sandbox.keeper import keep

    class Engine:
        def __init__(self, threads):
            self.held = []

        def answer(self, operation, pixels, parameters):
            if operation == "grow":
                self.held.append(bytearray(os.urandom(1) * 60_000_000))
            elif operation == "die":
                os._exit(1)
            elif operation == "refuse":
                raise NotScanned("This picture is of no use.")
            elif operation == "fail":
                raise RuntimeError("Ffion Quill")
            elif operation == "write":
                with open(parameters["path"], "w") as file:
                    file.write("x")
            return {"sum": int(pixels.sum()), "parameters": parameters, "pid": os.getpid(), "seen": dict(os.environ)}

    keep(Engine, restart_above=120_000_000)
""")
PIXELS = np.ones((4, 5, 3), np.uint8)


@contextmanager
def service(path: Path, code: str = ENGINE) -> Iterator[EngineClient]:
    command = [sys.executable, "-s", "-P", "-B", "-c", code, str(path), "1", str(os.getpid())]
    with subprocess.Popen(
        command, env=dict(keeper_environment(children=1)), cwd="/", stdin=subprocess.DEVNULL
    ) as keeper:
        try:
            yield EngineClient(path, called="engine", timeout=30)
        finally:
            keeper.terminate()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineClient]:
    with service(tmp_path_factory.mktemp("engine") / "engine.sock") as client:
        client.wait_until_ready()
        yield client


def test_pixels_and_parameters_arrive_whole(engine: EngineClient) -> None:
    message = engine.ask("look", PIXELS, {"boxes": [[1.5, 2, 3, 4]]})
    assert (message["sum"], message["parameters"]) == (60, {"boxes": [[1.5, 2, 3, 4]]})
    assert engine.ask("look", PIXELS[:, ::2])["sum"] == 36


def test_a_child_knows_nothing_of_the_world(engine: EngineClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEKEEPER_SEAL_KEY", "s3cret")
    seen = set(engine.ask("look", PIXELS)["seen"])
    assert seen - {"LC_CTYPE"} == set(keeper_environment(children=1))


def test_a_child_that_dies_means_not_scanned_and_another_takes_its_place(engine: EngineClient) -> None:
    before = engine.ask("look", PIXELS)["pid"]
    with pytest.raises(
        NotScanned, match=r"The engine stopped while it looked at this photo, so it has not been scanned\."
    ):
        engine.ask("die", PIXELS)
    assert engine.ask("look", PIXELS)["pid"] != before


def test_an_engine_that_refuses_is_quoted_and_one_that_fails_is_not(engine: EngineClient) -> None:
    with pytest.raises(NotScanned, match=r"This picture is of no use\."):
        engine.ask("refuse", PIXELS)
    with pytest.raises(NotScanned, match=r"This photo made the scan fail, so it has not been scanned\."):
        engine.ask("fail", PIXELS)


def test_a_child_cannot_write_files(engine: EngineClient, tmp_path: Path) -> None:
    with suppress(NotScanned):  # the kernel may end it, or the write fail
        engine.ask("write", PIXELS, {"path": str(tmp_path / "out")})
    assert not (tmp_path / "out").exists() or (tmp_path / "out").stat().st_size == 0


def test_a_child_that_grew_too_large_makes_room_for_a_fresh_one(engine: EngineClient) -> None:
    first = engine.ask("look", PIXELS)["pid"]
    assert engine.ask("look", PIXELS)["pid"] == first
    grown = [engine.ask("grow", PIXELS)["pid"] for _ in range(4)]
    assert len(set(grown)) >= 2
    assert psutil.Process(engine.ask("look", PIXELS)["pid"]).memory_info().rss < 120_000_000


def test_an_engine_that_cannot_load_says_so(tmp_path: Path) -> None:
    code = ENGINE.replace("self.held = []", "raise FileNotFoundError('model.onnx')")
    with service(tmp_path / "e.sock", code) as client, pytest.raises(NotScanned, match="could not be loaded"):
        client.ask("look", np.zeros((2000, 2000, 3), np.uint8))  # more than a socket takes before somebody reads it


@pytest.mark.parametrize(
    "answer",
    [
        b"[]\n", b"null\n", b'"ready"\n', b"{\n", b'{"a": 1}', b"[" * 100_000 + b"\n", b"\xff\n",
        b'{"not_scanned": 5}\n', b'{"not_scanned": ""}\n', b'{"not_scanned": "\\u001b[31mred"}\n',
        b'{"not_scanned": "' + b"x" * 301 + b'"}\n',
    ],
    ids=lambda answer: answer[:16].decode("latin-1").strip(),
)  # fmt: skip
def test_an_answer_that_makes_no_sense_means_not_scanned(tmp_path: Path, answer: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "lying.sock"))
        listener.listen(1)

        def lie() -> None:
            connection, _ = listener.accept()
            with connection:
                left = HEADER.size + PIXELS.size
                while left:
                    left -= len(connection.recv(left))
                connection.sendall(answer)

        liar = threading.Thread(target=lie)
        liar.start()
        with pytest.raises(NotScanned, match=r"makes no sense|stopped while it looked"):
            EngineClient(tmp_path / "lying.sock", called="engine", timeout=5).ask("look", PIXELS)
        liar.join(5)


def test_a_request_that_does_not_fit_is_never_sent() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        request("far too long", height=1, width=1)
    with pytest.raises(ValueError, match="does not fit"):
        request("look", height=1, width=1, parameters={"x": "x" * MAX_PARAMETERS})


@pytest.mark.parametrize(
    "header",
    [
        HEADER.pack(b"GET ", b"look", 0, 1, 1),
        HEADER.pack(MAGIC, b"look", 0, 0, 0),
        HEADER.pack(MAGIC, b"look", 0, 0, 5),
        HEADER.pack(MAGIC, b"ready", 0, 5, 5),
        HEADER.pack(MAGIC, b"look", 0, 8001, 8001),
        HEADER.pack(MAGIC, b"look", MAX_PARAMETERS + 1, 1, 1),
        HEADER.pack(MAGIC, b"\xff", 0, 1, 1),
    ],
    ids=["magic", "empty", "flat", "full", "large", "long", "name"],
)
def test_what_is_no_request_is_not_understood(header: bytes) -> None:
    with pytest.raises(ValueError):  # whatever the reason, the child hangs up
        understood(header)


def test_children_share_the_cores_but_a_lone_photo_has_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)))
    assert (cores(), threads_for(1), threads_for(2), threads_for(8)) == (8, 8, 4, 2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0})
    assert threads_for(2) == 1
