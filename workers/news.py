"""The part of a worker that listens to the queue: RQ's own worker, kept to carrying news.

Nobody commands it through the queue, its time limit is the kernel's, and a queue that goes away ends the listening
and nothing else: the work at hand goes on, and the caller looks for more in the database.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

import redis
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty

from gatekeeper.ops.kinship import die_with

_IDLE = 1  # seconds without news before the worker looks into the database
_AT_ONCE = 10  # pieces of work before it looks there all the same
_TTL = 20  # RQ waits at most so long, less 5 s, on a queue that hangs


class KernelLimit(BaseDeathPenalty):
    """RQ's limit is an exception, which an `except Exception` can swallow; this one ends the process."""

    def setup_death_penalty(self) -> None:
        """From now on the clock runs."""
        limit(self._timeout)

    def cancel_death_penalty(self) -> None:
        """In time."""
        limit(0)


def limit(seconds: float) -> None:
    """Let the kernel end this process after so many seconds; 0 takes it back."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


class NewsWorker(Worker):
    """Takes job ids off one queue, each into a forked child."""

    def __init__(self, queue: str, connection: redis.Redis, *, before_fork: Callable[[], None]) -> None:
        super().__init__(
            [queue], connection=connection, serializer=JSONSerializer, worker_ttl=_TTL, log_job_description=False
        )
        self._before_fork = before_fork
        self._parent = os.getpid()

    def listen(self) -> None:
        """Do what there is news of, until there is none for a moment.

        Raises:
            redis.RedisError: the queue has gone away.
        """
        self.work(max_idle_time=_IDLE, max_jobs=_AT_ONCE, logging_level="CRITICAL")

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Fork, and wait. A queue lost meanwhile ends the listening; the child is the caller's to wait for."""
        try:
            super().execute_job(job, queue)
        except redis.RedisError as err:
            raise StopRequested from err

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Tell the queue that this worker lives, which is also how it notices that the queue does not."""
        try:
            super().heartbeat(timeout, pipeline)
        except redis.RedisError as err:
            raise StopRequested from err

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """The child that does the work."""
        self._before_fork()
        super().fork_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        """In the child: it goes when its worker goes, and when its time is over."""
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]  # rq's types are not complete
        die_with(self._parent)
        self.death_penalty_class = KernelLimit

    def subscribe(self) -> None:
        """Nobody commands a worker through the queue; it also spares a thread, which a fork would not survive."""

    def unsubscribe(self) -> None:
        """There is nothing to undo."""

    def _install_signal_handlers(self) -> None:
        """The worker process has its own."""
