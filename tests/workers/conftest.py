"""Real worker processes with a database of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from gatekeeper import jobs
from gatekeeper.bootstrap import waker
from gatekeeper.db.session import Database
from gatekeeper.ops.kinship import bound_to_me
from tests.fixtures.signing import SIGNER
from tests.workers import probe

NO_REDIS = "unix:///nowhere/valkey.sock"
ROOT = Path(__file__).resolve().parents[2]


class ProbeWorker:
    """A worker process, and what its jobs left behind."""

    def __init__(self, data: Path, database_url: str, redis_url: str) -> None:
        self.data, self.database = data, Database(database_url, signer=SIGNER)
        self._wake = waker(redis_url)
        self._env = {
            **os.environ,
            "GATEKEEPER_DATA": str(data),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PYTHONPATH": str(ROOT),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.data / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.workers.probe"],
                env=self._env,
                stdout=log,
                stderr=log,
                preexec_fn=bound_to_me(),  # noqa: PLW1509 - one prctl call, its library loaded before
                start_new_session=True,
            )

    def stop(self) -> int:
        """Ask it to stop as the supervisor does, and wait until it has; tells its exit code."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGTERM)
        return self.process.wait(timeout=20)

    def end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.database.engine.dispose()

    def order(self, subject_id: int, *, job: jobs.Job = probe.PROBE, tell: bool = True) -> None:
        with self.database.begin() as session:
            jobs.order(session, job, subject_id, now=datetime.now(UTC))
        if tell:
            self._wake([(job.name, subject_id)])

    def hasten(self) -> None:
        """Let the pauses between two tries be over."""
        with self.database.begin() as session:
            session.execute(update(jobs.Order).values(next_at=datetime.now(UTC)))

    def orders(self) -> list[tuple[int, int]]:
        """(subject, attempts) of the work that is not finished."""
        with self.database.read() as session:
            return [(order.subject_id, order.attempts) for order in session.query(jobs.Order).order_by(jobs.Order.id)]

    def claimed(self) -> bool:
        with self.database.read() as session:
            return any(order.claimed_until for order in session.query(jobs.Order))

    def traces(self, word: str) -> list[list[str]]:
        path = self.data / "traces"
        lines = path.read_text().splitlines() if path.exists() else []
        return [parts for line in lines if (parts := line.split())[0] == word]

    @property
    def log(self) -> str:
        return (self.data / "log").read_text()


@pytest.fixture
def make_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], ProbeWorker]]:
    """Makes a worker on a database and a queue; it is not started yet, and ends with the test."""
    made: list[ProbeWorker] = []
    for name, job in probe.JOBS.items():
        monkeypatch.setitem(jobs.JOBS, name, job)

    def make(database_url: str, redis_url: str = NO_REDIS) -> ProbeWorker:
        made.append(ProbeWorker(tmp_path, database_url, redis_url))
        return made[-1]

    yield make
    for worker in made:
        worker.end()
