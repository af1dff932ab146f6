"""The same load on RQ's own scheduler: `enqueue_at`, and one worker with `--with-scheduler` on the embedded Valkey."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer

_ROOT = Path(__file__).parents[2]
_SENT = "bench:sent"


def send(number: int, due: float, wire: float, url: str) -> None:
    """The job: what a call to a platform would take, and when it began."""
    began = time.time()
    time.sleep(wire)
    with redis.Redis.from_url(url) as client:
        client.rpush(_SENT, f"{number} {due} {began}")


def lateness(url: str, offsets: list[float], *, lead: float, wire: float, within: float) -> list[tuple[float, float]]:
    """(due, begun) of each job in their order; whatever has not begun in time is left out."""
    with redis.Redis.from_url(url) as client:
        client.flushall()
        worker = subprocess.Popen(
            [sys.executable, __file__, url],
            cwd=_ROOT, env={**os.environ, "PYTHONPATH": str(_ROOT)},
        )  # fmt: skip
        try:
            queue = Queue("bench", connection=client, serializer=JSONSerializer)
            time.sleep(3)
            start = time.time() + lead + len(offsets) / 1500
            for number, offset in enumerate(offsets):
                due = start + offset
                queue.enqueue_at(
                    datetime.fromtimestamp(due, UTC), "tests.benchmarks.publish_rq.send", number, due, wire, url,
                    result_ttl=0,
                )  # fmt: skip
            deadline = start + max(offsets) + within
            while client.llen(_SENT) < len(offsets) and time.time() < deadline:
                time.sleep(0.2)
            told = [line.decode().split() for line in client.lrange(_SENT, 0, -1)]  # type: ignore[union-attr]
        finally:
            worker.terminate()
            worker.wait(timeout=30)
    return [(float(due), float(began)) for _, due, began in sorted(told, key=lambda one: int(one[0]))]


def work(url: str) -> None:
    """What `rq worker --with-scheduler` does; RQ's own command does not start without packages that only its cron needs."""
    with redis.Redis.from_url(url) as client:
        queue = Queue("bench", connection=client, serializer=JSONSerializer)
        Worker([queue], connection=client, serializer=JSONSerializer).work(with_scheduler=True, logging_level="WARNING")


if __name__ == "__main__":
    work(sys.argv[1])
