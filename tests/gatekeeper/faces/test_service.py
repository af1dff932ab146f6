"""The detection service answers, survives what kills its children, and never turns a failure into "no faces"."""

import json
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from gatekeeper.errors import NotScanned
from gatekeeper.faces.client import FaceClient
from gatekeeper.faces.detect import FaceFinder, Pixels
from gatekeeper.faces.service import face_service, keeper_command, keeper_environment
from gatekeeper.sandbox.answering import Answering
from gatekeeper.sandbox.wire import HEADER, MAGIC, READY, request


def keeper_of(client: FaceClient) -> psutil.Process:
    return next(
        process
        for process in psutil.Process().children()
        if str(client.socket_path) in process.cmdline() and process.is_running()
    )


def test_answers_what_the_detectors_answer(service: FaceClient, finder: FaceFinder, portrait: Pixels) -> None:
    assert service.detect(portrait) == finder.detect(portrait)
    assert service.detect(np.full((200, 300, 3), 90, np.uint8)) == []


def test_a_killed_child_means_not_scanned_and_the_next_photo_is_scanned(service: FaceClient, portrait: Pixels) -> None:
    child = keeper_of(service).children()[0]
    idle = child.num_fds()

    def kill_in_mid_scan() -> None:
        while child.num_fds() == idle:
            time.sleep(0.005)
        child.kill()

    killer = threading.Thread(target=kill_in_mid_scan)
    killer.start()
    with pytest.raises(NotScanned, match="stopped while it looked"):
        service.detect(portrait)
    killer.join()
    assert len(service.detect(portrait)) == 1
    assert keeper_of(service).children()[0].pid != child.pid


def test_a_stuck_child_means_not_scanned_within_the_time_allowed(service: FaceClient, portrait: Pixels) -> None:
    child = keeper_of(service).children()[0]
    child.suspend()
    with pytest.raises(NotScanned, match="did not answer in time"):
        FaceClient(service.socket_path, timeout=0.7).detect(portrait)
    child.resume()
    assert len(service.detect(portrait)) == 1


def test_a_child_is_killed_by_the_timer_of_the_kernel(service: FaceClient) -> None:
    child = keeper_of(service).children()[0]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(service.socket_path))
        connection.sendall(request(READY, height=0, width=0))
        connection.recv(100)
        child.send_signal(signal.SIGALRM)  # what the timer sends; Python must not catch it
        assert connection.recv(100) == b""
    assert psutil.wait_procs([child], timeout=5)[0] or not child.is_running()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        HEADER.pack(MAGIC, b"detect", 0, 60000, 60000),
        HEADER.pack(MAGIC, b"detect", 1 << 31, 10, 10),
        HEADER.pack(MAGIC, b"detect", 0, 0, 0),
        HEADER.pack(MAGIC, b"ready", 0, 10, 10),
        request("detect", height=10, width=10),
        request("detect", height=1, width=1, parameters={"x": 1})[:-1],
    ],
)
def test_nonsense_gets_no_answer_and_does_no_harm(service: FaceClient, portrait: Pixels, request_bytes: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(service.socket_path))
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):  # what a close with unread bytes looks like from here
            assert connection.recv(100) == b""
    assert len(service.detect(portrait)) == 1


def test_no_service_means_not_scanned(tmp_path: Path, portrait: Pixels) -> None:
    with pytest.raises(NotScanned, match="is not running"):
        FaceClient(tmp_path / "absent.sock", start_timeout=0.3).detect(portrait)


@pytest.mark.parametrize(
    "pixels", [np.zeros((5, 5), np.uint8), np.zeros((0, 5, 3), np.uint8), np.zeros((5, 5, 3), np.float32)]
)
def test_only_rgb_pixels_are_sent(tmp_path: Path, pixels: np.ndarray) -> None:
    with pytest.raises(NotScanned, match="Only RGB"):
        FaceClient(tmp_path / "any.sock").detect(pixels)


@contextmanager
def lying_service(path: Path, answer: bytes) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                left = HEADER.size + 30 * 40 * 3
                while left:
                    left -= len(connection.recv(left))
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join(5)


@pytest.mark.parametrize(
    "answer",
    [
        b"\n",
        b"nonsense\n",
        b"[]\n",
        b"null\n",
        b"{}\n",
        b'{"faces": null}\n',
        b'{"faces": [[1, 2, 3]]}\n',
        b'{"faces": [[1, 2, 30, 20, "NaN", "x"]]}\n',
        b'{"faces": [[NaN, 2, 30, 20, 0.5, "x"]]}\n',
        b'{"faces": [[-5, 2, 30, 20, 0.5, "x"]]}\n',
        b'{"faces": [[5, 2, 3000, 20, 0.5, "x"]]}\n',
        b'{"faces": [[5, 2, 5, 2, 0.5, "x"]]}\n',
        b'{"faces": []}',
    ],
)
def test_an_answer_that_makes_no_sense_means_not_scanned(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "lying.sock"
    with lying_service(path, answer), pytest.raises(NotScanned):
        FaceClient(path, timeout=5).detect(np.zeros((30, 40, 3), np.uint8))


def test_a_child_that_could_not_load_says_so(tmp_path: Path) -> None:
    path = tmp_path / "lying.sock"
    sentence = "The models of the scan could not be loaded."
    answer = json.dumps({"not_scanned": sentence}).encode() + b"\n"
    with lying_service(path, answer), pytest.raises(NotScanned, match=sentence):
        FaceClient(path, timeout=5).detect(np.zeros((30, 40, 3), np.uint8))


def test_detectors_that_cannot_be_loaded_are_not_an_empty_list(monkeypatch: pytest.MonkeyPatch) -> None:
    from gatekeeper.faces.answering import FaceEngine

    def missing() -> FaceFinder:
        raise FileNotFoundError("centerface.onnx")

    monkeypatch.setattr(FaceFinder, "load", missing)
    answering = Answering(lambda: FaceEngine(1))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(request("detect", height=1, width=1) + b"\0\0\0")
        answering.answer(theirs)
        assert json.loads(ours.recv(1000)) == {"not_scanned": "The models of the scan could not be loaded."}
    assert not answering.usable


def test_the_socket_is_private_and_everything_is_gone_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    with face_service(folder, children=2) as client:
        client.wait_until_ready(children=2)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(client.socket_path.stat().st_mode) == 0o600
        keeper = keeper_of(client)
        processes = [keeper, *keeper.children()]
        assert len(processes) == 3
    assert not client.socket_path.exists()
    assert not psutil.wait_procs(processes, timeout=5)[1]


def test_children_do_not_outlive_a_killed_keeper(tmp_path: Path) -> None:
    with face_service(tmp_path / "faces", children=1) as client:
        client.wait_until_ready()
        keeper = keeper_of(client)
        children = keeper.children()
        keeper.kill()
        assert not psutil.wait_procs(children, timeout=5)[1]


def test_no_secret_reaches_the_service(monkeypatch: pytest.MonkeyPatch, service: FaceClient) -> None:
    monkeypatch.setenv("X_API_SECRET", "s3cret")
    allowed = {"PATH", "PYTHONPATH", "LANG", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS"}
    assert set(keeper_environment(children=1)) == allowed
    child = keeper_of(service).children()[0]
    assert set(child.environ()) == set(keeper_environment(children=1))
    assert child.cwd() == "/"


def test_a_socket_path_too_long_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotScanned, match="too long a name"):
        keeper_command(tmp_path / ("x" * 120) / "faces.sock", children=1)


def test_two_photos_are_looked_at_at_once(tmp_path: Path, portrait: Pixels) -> None:
    with face_service(tmp_path / "faces", children=2) as client:
        client.wait_until_ready(children=2)
        results: list[int] = []
        look: Callable[[], None] = lambda: results.append(len(client.detect(portrait)))  # noqa: E731
        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [1, 1, 1, 1]
