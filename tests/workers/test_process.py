"""The worker loop as real processes: with the queue, without it, and with everything being killed in between."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
import redis

from tests.fixtures.valkey import RunningValkey
from tests.workers import probe
from tests.workers.conftest import ProbeWorker

MakeWorker = Callable[..., ProbeWorker]
Wait = Callable[..., None]


def _is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def test_the_queue_brings_the_news_at_once(
    make_worker: MakeWorker, sqlite_url: str, valkey: str, wait_until: Wait
) -> None:
    worker = make_worker(sqlite_url, valkey)
    worker.start()
    wait_until(lambda: "ready" in worker.log)
    worker.order(101)
    wait_until(lambda: worker.traces("done"))
    assert worker.traces("done") == [["done", "101", "queue"]]
    wait_until(lambda: not worker.orders())


def test_work_that_the_queue_never_heard_of_is_found_by_the_timer(
    make_worker: MakeWorker, database_url: str, valkey: str, wait_until: Wait
) -> None:
    worker = make_worker(database_url, valkey)
    worker.start()
    wait_until(lambda: "ready" in worker.log)
    worker.order(101, tell=False)
    wait_until(lambda: worker.traces("done"))
    assert worker.traces("done") == [["done", "101", "timer"]]


def test_everything_is_done_without_any_queue(make_worker: MakeWorker, database_url: str, wait_until: Wait) -> None:
    worker = make_worker(database_url)
    for subject in (101, 102, 103):
        worker.order(subject)
    worker.start()
    wait_until(lambda: len(worker.traces("done")) == 3)
    wait_until(lambda: not worker.orders())
    assert {trace[2] for trace in worker.traces("done")} == {"timer"}


def test_goes_on_when_the_queue_is_killed_and_when_it_comes_back(
    make_worker: MakeWorker, sqlite_url: str, own_valkey: RunningValkey, wait_until: Wait
) -> None:
    worker = make_worker(sqlite_url, own_valkey.url)
    worker.start()
    worker.order(101)
    wait_until(lambda: worker.traces("done"))
    own_valkey.kill()
    worker.order(102)
    wait_until(lambda: len(worker.traces("done")) == 2)
    own_valkey.start()
    wait_until(lambda: "the queue is back" in worker.log)
    worker.order(103)
    wait_until(lambda: len(worker.traces("done")) == 3)
    assert worker.traces("done")[-1] == ["done", "103", "queue"]
    assert worker.process
    assert worker.process.poll() is None


def test_a_queue_killed_in_the_middle_of_a_job_does_not_disturb_it(
    make_worker: MakeWorker, sqlite_url: str, own_valkey: RunningValkey, wait_until: Wait
) -> None:
    worker = make_worker(sqlite_url, own_valkey.url)
    worker.start()
    wait_until(lambda: "ready" in worker.log)
    worker.order(301, job=probe.SLOW)
    wait_until(lambda: worker.traces("began"))
    own_valkey.kill()
    wait_until(lambda: not worker.orders())
    assert len(worker.traces("began")) == len(worker.traces("done")) == 1
    worker.order(102)
    wait_until(lambda: len(worker.traces("done")) == 2)


def test_the_same_news_three_times_is_done_once(
    make_worker: MakeWorker, sqlite_url: str, valkey: str, wait_until: Wait
) -> None:
    worker = make_worker(sqlite_url, valkey)
    worker.order(101)
    worker.order(101)
    worker._wake([("probe", 101)] * 3)
    worker.start()
    worker.order(102)
    wait_until(lambda: len(worker.traces("done")) == 2)
    with redis.Redis.from_url(valkey) as client:
        wait_until(lambda: client.llen("rq:queue:scan") == 0)
    assert [trace[1] for trace in worker.traces("began")] == ["101", "102"]


def test_a_failure_is_tried_again_and_then_given_up(make_worker: MakeWorker, sqlite_url: str, wait_until: Wait) -> None:
    worker = make_worker(sqlite_url)
    worker.start()
    worker.order(201)
    wait_until(lambda: worker.orders() == [(201, 1)] and not worker.claimed())
    worker.hasten()
    wait_until(lambda: not worker.orders())
    assert worker.traces("gave_up") == [["gave_up", "201"]]
    assert len(worker.traces("began")) == 2


def test_cannot_find_the_text_of_a_failure_in_the_log(
    make_worker: MakeWorker, sqlite_url: str, valkey: str, wait_until: Wait
) -> None:
    """An error's text may quote a draft or a pupil's name."""
    worker = make_worker(sqlite_url, valkey)
    worker.start()
    worker.order(201)
    wait_until(lambda: "ValueError at probe.py" in worker.log)
    assert probe.SECRET_WORDS not in worker.log
    with redis.Redis.from_url(valkey) as client:
        for key in client.keys("*"):
            kind = client.type(key)
            stored = client.hgetall(key) if kind == b"hash" else client.dump(key)
            assert probe.SECRET_WORDS.encode() not in repr(stored).encode()


@pytest.mark.parametrize("with_queue", [True, False])
def test_a_job_that_never_ends_is_ended_by_the_kernel_and_in_the_end_given_up(
    make_worker: MakeWorker, sqlite_url: str, valkey: str, wait_until: Wait, with_queue: bool
) -> None:
    worker = make_worker(sqlite_url, valkey) if with_queue else make_worker(sqlite_url)
    worker.start()
    wait_until(lambda: "ready" in worker.log)
    worker.order(501)
    for attempt in (1, 2):
        wait_until(lambda attempt=attempt: worker.orders() == [(501, attempt)] and not worker.claimed())
        worker.hasten()
    wait_until(lambda: not worker.orders())
    assert worker.traces("gave_up") == [["gave_up", "501"]]
    assert not worker.traces("done")


def test_a_job_whose_process_is_killed_is_put_back_at_once_and_not_after_its_lease(
    make_worker: MakeWorker, sqlite_url: str, valkey: str, wait_until: Wait
) -> None:
    worker = make_worker(sqlite_url, valkey)
    worker.start()
    wait_until(lambda: "ready" in worker.log)
    worker.order(401)
    wait_until(lambda: worker.traces("began") and not worker.claimed(), within=15)
    assert worker.orders() == [(401, 1)]


@pytest.mark.parametrize("with_queue", [True, False])
def test_killing_the_worker_kills_its_job_and_its_successor_takes_the_work_up(
    make_worker: MakeWorker, sqlite_url: str, valkey: str, wait_until: Wait, with_queue: bool
) -> None:
    worker = make_worker(sqlite_url, valkey) if with_queue else make_worker(sqlite_url)
    worker.start()
    wait_until(lambda: "ready" in worker.log)
    worker.order(301, job=probe.SLOW)
    wait_until(lambda: worker.traces("began"))
    assert worker.process
    worker.process.kill()
    worker.process.wait()
    child = int(worker.traces("began")[0][3])
    wait_until(lambda: not _is_alive(child), within=5, what="the end of the orphaned job")
    assert worker.claimed()
    worker.start()
    wait_until(lambda: not worker.claimed(), within=15, what="putting the work back")
    worker.hasten()
    wait_until(lambda: worker.traces("done"))
    assert [trace[0] for trace in worker.traces("done")] == ["done"]


@pytest.mark.parametrize("with_queue", [True, False])
def test_stops_when_idle(
    make_worker: MakeWorker, sqlite_url: str, valkey: str, wait_until: Wait, with_queue: bool
) -> None:
    worker = make_worker(sqlite_url, valkey) if with_queue else make_worker(sqlite_url)
    worker.start()
    wait_until(lambda: "ready" in worker.log)
    assert worker.stop() == 0


@pytest.mark.parametrize("with_queue", [True, False])
def test_stops_with_a_job_at_work_and_puts_it_back(
    make_worker: MakeWorker, sqlite_url: str, valkey: str, wait_until: Wait, with_queue: bool
) -> None:
    worker = make_worker(sqlite_url, valkey) if with_queue else make_worker(sqlite_url)
    worker.start()
    wait_until(lambda: "ready" in worker.log)
    worker.order(301, job=probe.SLOW)
    wait_until(lambda: worker.traces("began"))
    worker.stop()
    assert not worker.claimed()
    assert worker.orders() == [(301, 1)]


def test_two_workers_on_one_queue_share_the_work(
    make_worker: MakeWorker, database_url: str, valkey: str, wait_until: Wait
) -> None:
    first, second = make_worker(database_url, valkey), make_worker(database_url, valkey)
    first.start()
    second.start()
    wait_until(lambda: first.log.count("ready") == 2)
    for subject in range(101, 121):
        first.order(subject)
    wait_until(lambda: not first.orders())
    assert sorted(int(trace[1]) for trace in first.traces("began")) == list(range(101, 121))
    assert second.process
    assert second.process.poll() is None


def test_the_worker_outlives_a_database_that_cannot_be_asked(
    make_worker: MakeWorker, sqlite_url: str, wait_until: Wait
) -> None:
    worker = make_worker(sqlite_url)
    database = worker.data / "gatekeeper.db"
    away = database.rename(worker.data / "elsewhere.db")
    worker.start()
    wait_until(lambda: "the database cannot be asked" in worker.log)
    database.unlink(missing_ok=True)
    away.rename(database)
    worker.order(101)
    wait_until(lambda: worker.traces("done"))


def test_a_stop_signal_to_the_whole_group_lets_a_quick_job_finish(
    make_worker: MakeWorker, sqlite_url: str, wait_until: Wait
) -> None:
    """An e-mail that is being handed over must not be handed over twice."""
    worker = make_worker(sqlite_url)
    worker.start()
    worker.order(301, job=probe.SLOW)
    wait_until(lambda: worker.traces("began"))
    time.sleep(1.3)
    assert worker.process
    os.killpg(worker.process.pid, signal.SIGTERM)
    worker.process.wait(timeout=5)
    assert worker.traces("done")
    assert worker.orders() == []
