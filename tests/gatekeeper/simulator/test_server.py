import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatekeeper.channels.base import Channel, Credentials, RenderedPost
from gatekeeper.channels.registry import build_channel
from gatekeeper.clock import SystemClock
from gatekeeper.errors import SettingsError
from gatekeeper.simulator.__main__ import main
from gatekeeper.simulator.server import Simulator

Start = Callable[..., Simulator]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_cannot_serve_anybody_but_this_computer(host: str) -> None:
    with pytest.raises(SettingsError):
        Simulator(host=host)


def test_half_a_request_never_takes_effect(simulated: Start, connect: Callable[..., Channel]) -> None:
    """A sender killed in mid-sentence has published nothing."""
    simulator = simulated()
    port = int(simulator.base_url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(
            b"POST /2/tweets HTTP/1.1\r\nHost: api.twitter.com\r\nContent-Length: 500\r\n\r\n" + b'{"text": "a'
        )
    connect(simulator, "x").verify_credentials()
    assert [entry["path"] for entry in simulator.requests()] == ["/2/users/me"]
    assert simulator.posts("x") == []


def test_a_body_that_is_too_large_is_not_read(simulated: Start, ask: Callable[..., Any]) -> None:
    answer = ask(simulated(), "POST", "/2/tweets", Host="api.twitter.com", Content_Length="99999999999")
    assert answer.status == 413


def test_stopping_does_not_wait_for_a_sleeping_fault(simulated: Start, connect: Callable[..., Channel]) -> None:
    from datetime import UTC, datetime

    from gatekeeper.channels.base import Deadline
    from gatekeeper.channels.errors import OutcomeUnknown

    with Simulator() as simulator:
        simulator.fault("delay", seconds=600)
        with pytest.raises(OutcomeUnknown):
            connect(simulator, "x").create_post(
                RenderedPost("Sports day"), [], deadline=Deadline.after(datetime.now(UTC), 0.3)
            )


def test_prints_the_keys_to_the_simulated_accounts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--credentials"]) == 0
    kinds = [Credentials.from_json(line).kind for line in capsys.readouterr().out.splitlines()]
    assert kinds == ["x", "facebook", "linkedin"]


def test_a_busy_port_is_one_clear_line(simulated: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = simulated().base_url.rsplit(":", 1)[1]
    assert main(["--port", port, "--folder", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert port in err


def test_as_a_process_it_survives_being_killed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "gatekeeper.simulator", "--port", str(port), "--folder", str(tmp_path)]
        )

    def channel() -> Channel:
        told = subprocess.run(
            [sys.executable, "-m", "gatekeeper.simulator", "--credentials"], check=True, capture_output=True
        ).stdout
        credentials = Credentials.from_json(told.decode().splitlines()[0])
        return build_channel(credentials, clock=SystemClock(), base_url=f"http://127.0.0.1:{port}")

    def wait_for(connected: Channel) -> None:
        for _ in range(100):
            try:
                connected.verify_credentials()
            except Exception:  # noqa: BLE001 - not up yet
                time.sleep(0.1)
            else:
                return
        pytest.fail("the simulator did not start")

    process = start()
    try:
        connected = channel()
        wait_for(connected)
        published = connected.create_post(RenderedPost("Sports day"), [])
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        process = start()
        wait_for(connected)
        assert connected.get_post(published.id).text == "Sports day"
        process.terminate()
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait(10)


def test_the_log_is_json_a_script_can_read(simulated: Start, connect: Callable[..., Channel]) -> None:
    simulator = simulated()
    connect(simulator, "x").create_post(RenderedPost("Sports day"), [])
    [entry] = simulator.requests("POST", host="api.twitter.com")
    assert json.loads(json.dumps(entry)) == entry
    assert json.loads(entry["body"]) == {"text": "Sports day"}
