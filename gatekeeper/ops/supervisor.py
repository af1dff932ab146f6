"""Keeps a set of processes running, and ends them in order, within five seconds, leaving nothing behind.

A process that dies is back within ten seconds, the others go on meanwhile. When this process itself is killed without
warning, the kernel ends the children: each is bound to it (`kinship`).
"""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from gatekeeper.ops.kinship import bound_to_me

log = logging.getLogger(__name__)

_TICK = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
_STEADY = 30.0  # after so many seconds a process counts as well, and its next death as its first
_ALL_STOPPED_WITHIN = 3.5
_LOG_LIMIT = 5_000_000
_LOG_LOOK = 60.0


@dataclass(frozen=True, kw_only=True)
class Program:
    """One process to keep running. Programs stop stage by stage, the highest first."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(repr=False)  # holds secrets
    stage: int
    patience: float = 2.0  # seconds its stage may take to end before the next one is asked to


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    again_at: float = 0.0
    deaths: int = 0

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Runs programs until it is told to stop.

    Args:
        logs: the folder in which each program's output is kept.
        tell: says one line to the person at the terminal.
    """

    def __init__(self, programs: Sequence[Program], *, logs: Path, tell: Callable[[str], None]) -> None:
        self._children = [_Child(program) for program in programs]
        self._logs, self._tell = logs, tell
        self._stopping = False
        self._logs_seen = 0.0

    def start(self) -> None:
        """Start every program, in the order given; from now on a signal to stop is heeded."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        for child in self._children:
            self._launch(child)

    def add(self, programs: Sequence[Program]) -> None:
        """Start more programs, once what they lean on is there."""
        for program in programs:
            self._children.append(_Child(program))
            self._launch(self._children[-1])

    def keep(self, *, until: Callable[[], bool] = lambda: False) -> bool:
        """Bring back what dies until somebody asks to stop, or `until` says so. Says whether to go on."""
        while not self._stopping:
            if until():
                return True
            self._look()
            time.sleep(_TICK)
        return False

    def stop(self) -> None:
        """End every program, stage by stage; who does not go in time is killed."""
        deadline = time.monotonic() + _ALL_STOPPED_WITHIN
        for stage in sorted({child.program.stage for child in self._children}, reverse=True):
            leaving = [child for child in self._children if child.program.stage == stage and child.alive]
            for child in leaving:
                self._signal(child, signal.SIGTERM)
            patience = max((child.program.patience for child in leaving), default=0.0)
            self._wait_for(leaving, min(deadline, time.monotonic() + patience))
        self._wait_for(self._children, deadline)
        for child in self._children:
            if child.alive:
                self._tell(f"{child.program.name} did not stop in time and was ended.")
            # the whole group: a helper it may have started goes too
            self._signal(child, signal.SIGKILL)
            if child.process:
                child.process.wait()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._tell(f"Stopping ({signal.Signals(number).name}).")
        self._stopping = True

    def _launch(self, child: _Child) -> None:
        program = child.program
        with (self._logs / f"{program.name}.log").open("ab") as sink:
            child.process = subprocess.Popen(
                list(program.command),
                env=dict(program.env),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this process alone, which then stops the others in order
                preexec_fn=bound_to_me(),  # noqa: PLW1509 - one prctl call, and this process has one thread
            )
        child.started = time.monotonic()

    def _look(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.process is not None and not child.alive:
                self._mourn(child, now)
            if child.process is None and now >= child.again_at:
                self._launch(child)
        if now - self._logs_seen > _LOG_LOOK:
            self._logs_seen = now
            self._trim_logs()

    def _mourn(self, child: _Child, now: float) -> None:
        assert child.process is not None
        code = child.process.returncode
        self._signal(child, signal.SIGKILL)  # what is left of its group must not work beside its successor
        child.deaths = 1 if now - child.started > _STEADY else child.deaths + 1
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (child.deaths - 1))
        child.process, child.again_at = None, now + pause
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        where = self._logs / f"{child.program.name}.log"
        self._tell(f"{child.program.name} {ended}; starting it again in {pause:g} s. Its last words: {where}")

    def _wait_for(self, children: Sequence[_Child], deadline: float) -> None:
        while any(child.alive for child in children) and time.monotonic() < deadline:
            time.sleep(0.02)

    @staticmethod
    def _signal(child: _Child, number: signal.Signals) -> None:
        if child.process is not None:
            with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
                os.killpg(child.process.pid, number)

    def _trim_logs(self) -> None:
        """Keep one older part of a log that has grown. It is emptied in place: its writer holds it open."""
        for path in self._logs.glob("*.log"):
            try:
                if path.stat().st_size > _LOG_LIMIT:
                    path.with_suffix(".log.1").write_bytes(path.read_bytes())
                    os.truncate(path, 0)
            except OSError as err:  # a log must never end the school's processes
                log.warning("cannot trim %s: %s", path.name, err.strerror)
