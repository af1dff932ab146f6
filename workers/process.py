"""One worker process: `python -m workers.process QUEUE`. It does the work of one queue, with Redis or without.

The orders stand in the database. Redis brings the news of a fresh one at once (RQ, one queue per process, ids only).
Between two pieces of news a plain timer asks the database what nobody has taken, postponed and lost work alike, and
that is done right here in a forked child, without a way round through Redis: so losing Redis, or everything in it,
costs at most one look of the timer. Either way the child calls the same function, which claims its work first.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import NoReturn

import redis
from sqlalchemy.exc import SQLAlchemyError

from gatekeeper import jobs
from gatekeeper.bootstrap import build_services, check_ledger_key, connect
from gatekeeper.clock import Clock, SystemClock
from gatekeeper.db.session import Database
from gatekeeper.errors import SettingsError
from gatekeeper.log import configure_logging, place_of
from gatekeeper.ops.kinship import die_with
from gatekeeper.settings import SECRETS, Settings, load_settings
from gatekeeper.workflow import enrol, sweep
from workers import perform
from workers.held import HeldWork
from workers.keeper import ScanEngines
from workers.news import NewsWorker, limit

log = logging.getLogger("workers.process")

_SWEEP_EVERY = 60.0
_ASK_REDIS_EVERY = 2.0
_LOOK_LIMIT = 10
_ORDERING = 30.0
_FAREWELL = 1.0  # seconds a child gets to finish when the process is asked to stop


class WorkerProcess:
    """Works until it is told to stop."""

    def __init__(self, queue: str, settings: Settings, *, clock: Clock | None = None) -> None:
        self.queue, self.settings = queue, settings
        self._clock = clock or SystemClock()
        self._db = Database(settings.database_url)
        self._held = HeldWork(settings.data / "run", queue)
        self._child = 0
        self._news: NewsWorker | None = None
        self._redis_next = self._sweep_next = 0.0
        self._redis_lost = self._stopping = False
        self._engines = ScanEngines(settings.data) if queue == "scan" else None
        faces, reader = (self._engines.faces, self._engines.reader) if self._engines else (None, None)
        perform.build_with(
            lambda _process: build_services(settings, faces=faces, encoder=faces, reader=reader), held=self._held
        )

    def run(self) -> NoReturn:
        """Work on and on; a signal to stop ends it by SystemExit."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._leave)
        for job in jobs.JOBS.values():
            if job.queue == self.queue:
                import_module(job.function.rpartition(".")[0])  # once, here, and not in every child
        try:
            for claim in self._held.abandoned:
                self._put_back(claim)
            if self.queue == "scan":
                self._run_child(_order_seal_anew, 0, seconds=_ORDERING)
            log.info("ready")
            while not self._stopping:
                self.turn()
            raise SystemExit(0)
        finally:
            self._part_from_child()
            if self._engines:
                self._engines.stop()

    def turn(self) -> None:
        """One round: the news, then what the database knows of."""
        if self._engines:
            self._engines.guard()
        if not self._listen():
            time.sleep(self.settings.timings.poll)
        try:
            for name, subject_id in self._due():
                self._run_child(_function(jobs.JOBS[name]), subject_id, seconds=jobs.JOBS[name].timeout)
        except SQLAlchemyError as err:
            log.warning("the database cannot be asked (%s)", type(err).__name__)
            time.sleep(1)
        if self.queue == "mail" and time.monotonic() >= self._sweep_next:
            self._sweep_next = time.monotonic() + _SWEEP_EVERY
            self._run_child(_sweep, 0, seconds=_SWEEP_EVERY)

    def _leave(self, _number: int, _frame: FrameType | None) -> NoReturn:
        self._stopping = True  # RQ may lose the exception: its own farewell to a lost queue can raise another over it
        raise SystemExit(0)

    def _listen(self) -> bool:
        """Whether there is a queue to listen to; if so, it has been listened to for a moment."""
        if time.monotonic() < self._redis_next:
            return False
        try:
            if self._news is None:
                connection = connect(self.settings.redis_url)
                connection.ping()
                self._news = NewsWorker(self.queue, connection, before_fork=self._let_go_of_database)
            self._news.listen()
        except (redis.RedisError, ValueError) as err:  # ValueError: an address that is none
            if not self._redis_lost:
                log.warning("the queue cannot be reached (%s); looking into the database instead", type(err).__name__)
            self._wait_for_lost_child()
            self._news, self._redis_lost = None, True
            self._redis_next = time.monotonic() + _ASK_REDIS_EVERY
            return False
        else:
            if self._redis_lost:
                log.info("the queue is back")
            self._redis_lost = False
            return True
        finally:
            self._settle()

    def _due(self) -> Sequence[tuple[str, int]]:
        try:
            with self._db.read() as session:
                return [
                    (name, subject_id)
                    for name, subject_id in jobs.due(session, self.queue, now=self._clock.now(), limit=_LOOK_LIMIT)
                    if name in jobs.JOBS
                ]
        finally:
            self._let_go_of_database()

    def _let_go_of_database(self) -> None:
        """Close every connection: SQLite's locks are lost on a fork, and a shared PostgreSQL socket mixes answers up."""
        self._db.engine.dispose()

    def _run_child(self, act: Callable[[int], object], subject_id: int, *, seconds: float) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self._child = os.fork()
        if self._child == 0:
            _be_a_child(parent, act, subject_id, seconds)
        _, status = os.waitpid(self._child, 0)
        self._child = 0
        if os.WIFSIGNALED(status):
            log.warning("a child was ended by %s", signal.Signals(os.WTERMSIG(status)).name)
        if status:
            time.sleep(self.settings.timings.poll)  # what fails at once must not be tried a hundred times a second
        self._settle()

    def _settle(self) -> None:
        """Put back what a child that was killed still held."""
        if claim := self._held.left():
            self._put_back(claim)
            self._held.forget()

    def _put_back(self, claim: jobs.Claim) -> None:
        log.warning("%s %d was cut short at try %d", claim.job, claim.subject_id, claim.attempt)
        try:
            with self._db.begin() as session:
                jobs.postpone(session, claim, now=self._clock.now())
        except SQLAlchemyError as err:  # then the claim's own lease ends it
            log.warning("it cannot be put back (%s)", type(err).__name__)
        finally:
            self._let_go_of_database()

    def _wait_for_lost_child(self) -> None:
        """The queue went away while a child was at work: the work is good, and the kernel limits it."""
        if self._news and self._news.horse_pid:
            with suppress(ChildProcessError):
                os.waitpid(self._news.horse_pid, 0)

    def _part_from_child(self) -> None:
        """Let the child finish if it is quick about it; else end it and put its work back."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        child = self._child or (self._news.horse_pid if self._news else 0)
        deadline = time.monotonic() + _FAREWELL
        with suppress(ChildProcessError, ProcessLookupError):
            while child and not os.waitpid(child, os.WNOHANG)[0]:
                if time.monotonic() > deadline:
                    os.killpg(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                    break
                time.sleep(0.02)
        self._settle()


def _be_a_child(parent: int, act: Callable[[int], object], subject_id: int, seconds: float) -> NoReturn:
    code = 1
    try:
        os.setpgrp()  # a signal to the worker's group is the worker's to answer
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        die_with(parent)
        limit(seconds)
        act(subject_id)
        code = 0
    except Exception as err:  # noqa: BLE001 - a child must never return into its parent's loop
        log.warning("a child failed: %s", place_of(err))
    finally:
        os._exit(code)


def _sweep(_nothing: int) -> None:
    sweep.run(perform.services_for("mail"))


def _order_seal_anew(_nothing: int) -> None:
    enrol.order_seal_anew(perform.services_for("scan"))


def _function(job: jobs.Job) -> Callable[[int], object]:
    module, _, name = job.function.rpartition(".")
    function: Callable[[int], object] = getattr(import_module(module), name)
    return function


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Work for the queue that the command names."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if len(words) != 1 or words[0] not in jobs.QUEUES:
        sys.exit(f"usage: python -m workers.process {{{','.join(jobs.QUEUES)}}}")
    configure_logging(words[0])
    try:
        settings = load_settings(words[0])
        for name in SECRETS.get(words[0], ()):
            settings.secret(name)  # said now, and not at the first job
        if "LEDGER_KEY" in SECRETS.get(words[0], ()):
            check_ledger_key(settings)
    except SettingsError as err:
        sys.exit(f"{words[0]}: {err}")
    try:
        WorkerProcess(words[0], settings).run()
    except SystemExit:
        logging.shutdown()
        os._exit(0)  # everything is put away; taking the interpreter apart would only cost the stop its time


if __name__ == "__main__":
    main()
