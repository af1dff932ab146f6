"""The supervisor as a real process, with children that only wait."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gatekeeper.ops.kinship import bound_to_me

ROOT = Path(__file__).resolve().parents[3]
Wait = Callable[..., None]

# Each child says who it is, then waits; `stubborn` does not hear SIGTERM, `parent` has a child of its own that is
# bound to it as a worker's is, `moody` ends at once.
_CHILD = """
import os, signal, sys, time
from pathlib import Path
from gatekeeper.ops.kinship import die_with
name, folder = sys.argv[1], Path(sys.argv[2])
def note(what):
    with (folder / "notes").open("a") as file:
        file.write(f"{what} {os.getpid()} {time.monotonic()}\\n")
def leave(*_):
    note(f"{name}-left")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if name == "stubborn" else leave)
note(name)
if name == "moody":
    print("I will not")
    sys.exit(7)
if name == "parent":
    me = os.getpid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        die_with(me)
        note("grandchild")
while True:
    time.sleep(1)
"""

_SUPERVISOR = """
import os, sys
from pathlib import Path
from gatekeeper.ops.supervisor import Program, Supervisor
folder, child = Path(sys.argv[1]), sys.argv[2]
programs = [
    Program(name=name, command=[sys.executable, "-c", child, name, str(folder)], env=dict(os.environ), stage=int(stage))
    for name, stage in (pair.split(":") for pair in sys.argv[3:])
]
supervisor = Supervisor(programs, logs=folder / "logs", tell=lambda line: print(line, flush=True))
supervisor.start()
print("started", flush=True)
supervisor.keep()
supervisor.stop()
"""


class Watched:
    """A supervisor at work, and what its children noted."""

    def __init__(self, folder: Path, *programs: str) -> None:
        self.folder = folder
        self.said = folder / "said"
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _SUPERVISOR, str(folder), _CHILD, *programs],
                stdout=said,
                stderr=said,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                preexec_fn=bound_to_me(),  # noqa: PLW1509 - one prctl call, its library loaded before
            )

    def pids(self, name: str) -> list[int]:
        return [pid for pid, _ in self._notes(name)]

    def moments(self, name: str) -> list[float]:
        return [moment for _, moment in self._notes(name)]

    def _notes(self, name: str) -> list[tuple[int, float]]:
        path = self.folder / "notes"
        lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [(int(pid), float(moment)) for what, pid, moment in lines if what == name]

    def everyone(self) -> set[int]:
        return {int(line.split()[1]) for line in (self.folder / "notes").read_text().splitlines()}


def is_alive(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    made: list[Watched] = []

    def start(*programs: str) -> Watched:
        made.append(Watched(tmp_path, *programs))
        return made[-1]

    yield start
    for watched in made:
        watched.process.kill()
        watched.process.wait()


def test_brings_back_within_ten_seconds_what_was_killed_and_leaves_the_others_alone(
    watch: Callable[..., Watched], wait_until: Wait
) -> None:
    watched = watch("web:2", "scan:1")
    wait_until(lambda: watched.pids("web") and watched.pids("scan"))
    os.kill(watched.pids("web")[0], signal.SIGKILL)
    wait_until(lambda: len(watched.pids("web")) == 2, within=10, what="the return of web")
    assert len(watched.pids("scan")) == 1
    assert is_alive(watched.pids("scan")[0])
    assert "web was ended by signal 9" in watched.said.read_text()


def test_what_dies_again_and_again_is_tried_ever_more_rarely_and_told_in_one_line(
    watch: Callable[..., Watched], wait_until: Wait
) -> None:
    watched = watch("moody:1")
    wait_until(lambda: len(watched.pids("moody")) == 4)
    told = watched.said.read_text()
    said = r"^moody ended with exit code 7; starting it again in (\S+) s\. Its last words: \S+$"
    assert re.findall(said, told, re.MULTILINE)[:3] == ["0.5", "1", "2"]
    assert "I will not" in (watched.folder / "logs" / "moody.log").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stops_stage_by_stage_and_leaves_nothing(
    watch: Callable[..., Watched], wait_until: Wait, number: signal.Signals
) -> None:
    watched = watch("valkey:1", "parent:2", "web:3")
    wait_until(lambda: watched.pids("web") and watched.pids("grandchild") and watched.pids("valkey"))
    watched.process.send_signal(number)
    watched.process.wait(timeout=60)
    assert watched.process.returncode == 0
    assert watched.moments("web-left") < watched.moments("parent-left") < watched.moments("valkey-left")
    wait_until(lambda: not any(map(is_alive, watched.everyone())))


def test_ends_who_does_not_listen(watch: Callable[..., Watched], wait_until: Wait) -> None:
    watched = watch("valkey:1", "stubborn:2", "web:3")
    wait_until(lambda: all(watched.pids(name) for name in ("web", "stubborn", "valkey")))
    watched.process.terminate()
    watched.process.wait(timeout=60)
    assert "stubborn did not stop in time" in watched.said.read_text()
    assert not any(map(is_alive, watched.everyone()))


def test_leaves_no_orphan_when_it_is_killed_itself(watch: Callable[..., Watched], wait_until: Wait) -> None:
    watched = watch("stubborn:1", "parent:2", "web:3")
    wait_until(lambda: all(watched.pids(name) for name in ("web", "stubborn", "parent", "grandchild")))
    watched.process.kill()
    watched.process.wait()
    wait_until(lambda: not any(map(is_alive, watched.everyone())), within=3, what="the end of every child")


def test_a_signal_while_it_waits_to_restart_something_still_stops_it(
    watch: Callable[..., Watched], wait_until: Wait
) -> None:
    watched = watch("moody:1", "web:2")
    wait_until(lambda: watched.pids("moody") and watched.pids("web"))
    watched.process.terminate()
    assert watched.process.wait(timeout=5) == 0
