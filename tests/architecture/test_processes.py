"""The processes as they really are: started by the one command, told their own secrets alone, gone when it is gone."""

import os
import re
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
from gatekeeper.ops.programs import own_programs
from gatekeeper.settings import ALL_SECRETS, SECRETS

ROOT = Path(__file__).resolve().parents[2]
Wait = Callable[..., None]


#: the settings of a real installation on the same computer, which a demo must not touch
REAL = {
    "DATABASE_URL": "postgresql://office@real-school.example/gatekeeper",
    "REDIS_URL": "redis://real-school.example",
    "GATEKEEPER_SMTP_URL": "smtp://real-school.example",
}


class Demo:
    """A running `gatekeeper demo`."""

    def __init__(self, data: Path, *words: str) -> None:
        self.data = data
        self.output = data.parent / "said"
        with self.output.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gatekeeper", "demo", "--data", str(data), *words],
                cwd=ROOT,
                stdout=said,
                stderr=said,
                env={**os.environ, **REAL},
                preexec_fn=bound_to_me(),  # noqa: PLW1509 - one prctl call, its library loaded before
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.said
        return "Stop " in self.said

    def family(self) -> dict[int, str]:
        """Every process below it: id -> command line."""
        parents, commands = {}, {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    commands[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        found: dict[int, str] = {}
        border = {self.process.pid}
        while border := {pid for pid, parent in parents.items() if parent in border}:
            found |= {pid: commands[pid] for pid in border}
        return found

    def pid_of(self, part: str) -> int:
        return next(pid for pid, command in self.family().items() if part in command)

    def site(self) -> tuple[str, int]:
        found = re.search(r"Site +http://localhost:(\d+)", self.said)
        assert found
        return "127.0.0.1", int(found[1])

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def is_alive(pid: int) -> bool:
    with suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("school") / "demo", "--port", "8700")
    try:
        deadline = time.monotonic() + 90
        while not running.is_up():
            assert time.monotonic() < deadline, running.said
            time.sleep(0.1)
        yield running
    finally:
        running.end()


COMMANDS = {
    "web": "-m gatekeeper web",
    "scan": "-m workers.process scan",
    "mail": "-m workers.process mail",
    "platform": "-m workers.process platform",
    "publisher": "-m workers.publish",
}
HELPERS = (
    "valkey-server",
    "gatekeeper.simulator",
    "gatekeeper.ops.mailbox",
    "gatekeeper.faces.service",
    "gatekeeper.lettering.service",
)


def test_the_procfile_names_the_processes_that_the_supervisor_starts(tmp_path: Path) -> None:
    environ = {"GATEKEEPER_DATA": str(tmp_path)} | {f"GATEKEEPER_{name}": "x" for name in ALL_SECRETS}
    procfile = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    started = {program.name: " ".join(program.command[3:]) for program in own_programs(environ)}
    assert {name: command.partition("gatekeeper ")[2] for name, command in procfile.items()} == {
        "release": "release",
        **started,
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_each_process_holds_its_own_secrets_and_no_others(demo: Demo, wait_until: Wait, name: str) -> None:
    wait_until(lambda: any(COMMANDS[name] in command for command in demo.family().values()))
    environ = Path(f"/proc/{demo.pid_of(COMMANDS[name])}/environ").read_text()
    held = {secret for secret in ALL_SECRETS if f"GATEKEEPER_{secret}=" in environ}
    assert held == set(SECRETS.get(name, ()))
    for secret in set(ALL_SECRETS) - held:
        key = demo.data / "keys" / secret.lower()
        assert not (key.is_file() and key.read_text().strip() in environ)


@pytest.mark.parametrize("part", HELPERS)
def test_helpers_hold_no_secret_at_all(demo: Demo, wait_until: Wait, part: str) -> None:
    wait_until(lambda: any(part in command for command in demo.family().values()))
    environ = Path(f"/proc/{demo.pid_of(part)}/environ").read_text()
    assert not [secret for secret in ALL_SECRETS if f"GATEKEEPER_{secret}" in environ]


def test_no_secret_stands_on_a_command_line_or_in_a_log(demo: Demo) -> None:
    keys = [(demo.data / "keys" / name).read_text().strip() for name in ("web_key", "seal_key", "template_key")]
    texts = [*demo.family().values(), *(path.read_text() for path in (demo.data / "logs").iterdir()), demo.said]
    assert not [text for text in texts if any(key in text for key in keys)]


def test_no_process_of_a_demo_hears_of_the_real_school(demo: Demo) -> None:
    looked_at = 0
    for pid in demo.family():
        with suppress(OSError):  # a helper for one job may end while we look
            assert "real-school.example" not in Path(f"/proc/{pid}/environ").read_text()
            looked_at += 1
    assert looked_at


def test_nobody_else_can_read_the_data(demo: Demo) -> None:
    assert demo.data.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["web", "mail", "publisher"])
def test_a_killed_process_is_back_within_ten_seconds(demo: Demo, wait_until: Wait, name: str) -> None:
    before = demo.pid_of(COMMANDS[name])
    os.kill(before, signal.SIGKILL)
    wait_until(
        lambda: any(COMMANDS[name] in command and pid != before for pid, command in demo.family().items()),
        within=10,
        what=f"the return of {name}",
    )
    if name == "web":
        wait_until(lambda: _answers(demo.site()), what="an answer of the site")


def _answers(address: tuple[str, int]) -> bool:
    with suppress(OSError), socket.create_connection(address, timeout=1):
        return True
    return False


def test_cannot_run_twice_on_one_folder(demo: Demo) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "gatekeeper", "demo", "--data", str(demo.data)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert second.returncode == 1
    assert "already running" in second.stderr
    assert second.stderr.count("\n") == 1


def test_cannot_start_over_in_a_folder_that_is_no_demo(tmp_path: Path) -> None:
    precious = tmp_path / "thesis.odt"
    precious.write_text("do not lose")
    done = subprocess.run(
        [sys.executable, "-m", "gatekeeper", "demo", "--fresh", "--data", str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 1
    assert "something else" in done.stderr
    assert precious.read_text() == "do not lose"
    assert list(tmp_path.iterdir()) == [precious]


def test_a_demo_stops_finds_its_data_again_and_leaves_no_orphan_when_killed(tmp_path: Path, wait_until: Wait) -> None:
    data = tmp_path / "demo"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        first = Demo(data, "--port", str(port))
        wait_until(first.is_up, within=90)
        assert f"Port {port} is taken; the site is at port {first.site()[1]} instead." in first.said
    family = first.family()
    assert len(family) >= 8
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(timeout=60) == 0
    assert not [command for pid, command in family.items() if is_alive(pid)]

    key = (data / "keys" / "seal_key").read_text()
    founded = (data / "founded").stat().st_mtime_ns
    second = Demo(data, "--port", "8760")
    wait_until(second.is_up, within=90)
    assert (data / "keys" / "seal_key").read_text() == key
    assert (data / "founded").stat().st_mtime_ns == founded
    family = second.family()
    second.process.kill()
    second.process.wait()
    wait_until(lambda: not any(map(is_alive, family)), within=5, what="the end of every process")

    third = Demo(data, "--port", "8760", "--fresh")
    wait_until(third.is_up, within=90)
    assert (data / "keys" / "seal_key").read_text() != key
    third.process.terminate()
    assert third.process.wait(timeout=15) == 0
