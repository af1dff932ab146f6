"""The publishers as a drill starts them: one warm process that forks them, brings each back when it dies, and counts.

What they run is `workers.publish`, turn by turn, unchanged; beside it they listen to where they are (`crash_points`)
and do to themselves what the drill ordered for that point. A cut-down machine (`--without`) is made here, by putting
something else in the place of one part: the product has no switch that leaves out a check.
"""

import argparse
import http.client
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select

from gatekeeper.bootstrap import build_services
from gatekeeper.channels.base import Ambiguous, Channel, Found, NotFound
from gatekeeper.channels.transport import OriginAdapter
from gatekeeper.clock import Clock
from gatekeeper.log import configure_logging
from gatekeeper.ops.drill.board import PAUSED, SLOTS, Board, obey
from gatekeeper.ops.drill.pace import pace
from gatekeeper.ops.drill.schedule import COMPLETE
from gatekeeper.ops.kinship import die_with
from gatekeeper.posts.model import ChannelAccount, Publication
from gatekeeper.posts.status import PublicationState
from gatekeeper.settings import load_settings
from gatekeeper.workflow import crash_points, publish, reconcile
from gatekeeper.workflow.services import Services
from workers.publish import Stopping, keep_publishing, turn

_WIRE = ("C2b", "C3a", "C3b")  # between the intent and the reply
_WARM_WITHIN = 30.0


def main(arguments: list[str] | None = None) -> int:
    """Keep the publishers of a drill running until this process is killed or told to end."""
    parser = argparse.ArgumentParser(prog="workers.drill")
    parser.add_argument("--board", type=Path, required=True)
    parser.add_argument("--publishers", type=int, default=2)
    parser.add_argument("--faster", type=float, required=True)
    parser.add_argument("--warm", type=int, default=0)
    parser.add_argument("--without", choices=sorted(_CUTS))
    asked = parser.parse_args(arguments)
    configure_logging("drill")
    die_with(os.getppid())
    services = _warmed(asked.faster, posts=asked.warm)
    board = Board(asked.board)
    children: dict[int, int] = {}
    signal.signal(signal.SIGTERM, lambda *_: _end(children))
    for slot in range(min(asked.publishers, SLOTS)):
        children[_fork(services, board, slot, asked.without)] = slot
    while children:
        process, status = os.wait()
        slot = children.pop(process)
        _mourn(board, slot, os.waitstatus_to_exitcode(status))
        children[_fork(services, board, slot, asked.without)] = slot
    return 0


def _warmed(factor: float, *, posts: int) -> Services:
    """Services that have published so many posts already: whoever is forked from here has nothing left to load.

    No connection is handed on: each child makes its own.
    """
    settings = load_settings("publisher")
    services = build_services(replace(settings, timings=pace(factor)))
    assert services.channel_for is not None
    services = replace(services, channel_for=_with_complete_listing(services.channel_for))
    deadline = time.monotonic() + _WARM_WITHIN
    done = 0
    while done < posts and time.monotonic() < deadline:
        done += turn(services, owner="warming")
        time.sleep(0.05)
    time.sleep(0.1)  # the timers of those calls have ended: a process is forked from one thread
    services.db.engine.dispose()
    return services


def _end(children: dict[int, int]) -> None:
    for process in children:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    os._exit(0)


def _fork(services: Services, board: Board, slot: int, without: str | None) -> int:
    parent = os.getpid()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            die_with(parent)
            _publish(services, board, slot, without)
            code = 0
        finally:
            os._exit(code)
    board.count("started")
    return process


def _mourn(board: Board, slot: int, code: int) -> None:
    """Count how and where it died: killed by the drill, by the kernel's timer, or by itself."""
    _, point, publication = board.place(slot)
    board.write_place(slot, process=0)
    if publication:
        board.touch(publication)
    if code == -signal.SIGKILL:
        board.count(point)
    else:
        board.count("guard" if code == -signal.SIGALRM else "crashed")


def _publish(services: Services, board: Board, slot: int, without: str | None) -> None:
    here = _Here(board, slot)
    crash_points.listen(here.told)
    _watch_the_line(here)
    if without:
        _CUTS[without]()
    board.write_place(slot, process=os.getpid())
    keep_publishing(services, Stopping())


@dataclass
class _Here:
    """Where this process is, written where the drill can read it after a kill."""

    board: Board
    slot: int
    point: str = "C0"
    publication: int = 0

    def told(self, point: str, publication: int) -> None:
        self.point, self.publication = point, publication
        self.board.write_place(self.slot, process=os.getpid(), point=point, publication=publication)
        pause = obey(self.board, publication, point, die=_die, freeze=_freeze)
        while pause:  # claimed, and the drill is changing the post at this very moment
            time.sleep(0.005)
            pause = self.board.order_for(publication) == PAUSED


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _freeze() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _watch_the_line(here: _Here) -> None:
    """Tell of the points inside the one call that publishes: connected, half sent, sent and not answered."""
    connected, send, answered = (
        OriginAdapter._connected,  # noqa: SLF001 - the drill stands beside the line, the product does not know of it
        http.client.HTTPConnection.send,
        http.client.HTTPConnection.getresponse,
    )

    def told_connected(adapter: OriginAdapter, sock: Any) -> None:
        connected(adapter, sock)
        if here.point == "C2b":
            here.told("C3a", here.publication)

    def told_sent(connection: http.client.HTTPConnection, data: Any) -> None:
        send(connection, data)
        if here.point == "C3a":
            here.told("C3b", here.publication)

    def told_answered(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        if here.point in _WIRE:
            here.told("C4", here.publication)
        return answered(connection)

    adapter, line = cast("Any", OriginAdapter), cast("Any", http.client.HTTPConnection)
    adapter._connected, line.send, line.getresponse = told_connected, told_sent, told_answered  # noqa: SLF001


class _Complete:
    """A channel whose listing shows everything, as a fourth one might: here absence allows a resend."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def find_post(self, *words: Any, **names: Any) -> Found | NotFound | Ambiguous:
        answer = self._channel.find_post(*words, **names)
        return NotFound(complete=True) if isinstance(answer, NotFound) else answer


def _with_complete_listing(build: Callable[[ChannelAccount], Channel]) -> Callable[[ChannelAccount], Channel]:
    def channel_for(account: ChannelAccount) -> Channel:
        channel = build(account)
        return cast("Channel", _Complete(channel)) if account.kind == COMPLETE else channel

    return channel_for


def _without_lookup() -> None:
    """What is not known is sent again without looking."""

    def send_again(services: Services) -> int:
        now = services.clock.now()
        with services.step() as session:
            unknown = session.scalars(
                select(Publication)
                .where(Publication.state == PublicationState.UNKNOWN, Publication.next_at <= now)
                .with_for_update(skip_locked=True)
            ).all()
            for publication in unknown:
                publication.state, publication.next_at = PublicationState.SCHEDULED, now
        return len(unknown)

    reconcile.reconcile = send_again


@dataclass(frozen=True)
class _Ahead:
    """A clock that shows every wait as over."""

    clock: Clock

    def now(self) -> datetime:
        return self.clock.now() + timedelta(minutes=1)


def _without_settle() -> None:
    """Nobody waits for a lease to end, for a platform to settle, or between two looks."""
    recover, look = reconcile.recover, reconcile.reconcile

    def recover_at_once(services: Services) -> None:
        with services.step() as session:
            for publication in session.scalars(
                select(Publication)
                .where(Publication.state == PublicationState.SENDING)
                .with_for_update(skip_locked=True)
            ):
                publication.state, publication.lease_until = PublicationState.UNKNOWN, None
                publication.next_at = services.clock.now()
        return recover(services)

    def look_at_once(services: Services) -> int:
        timings = services.settings.timings
        at_once = replace(timings, settle=timedelta(0), reads=(timedelta(0),) * len(timings.reads))
        settings = replace(services.settings, timings=at_once)
        return look(replace(services, clock=_Ahead(services.clock), settings=settings))

    reconcile.recover = recover_at_once
    reconcile.reconcile = look_at_once


def _without_gate() -> None:
    """Nobody asks once more before sending."""
    cast("Any", publish).ask_gate = lambda *_words, **_names: None


_CUTS: dict[str, Callable[[], None]] = {
    "lookup": _without_lookup,
    "settle": _without_settle,
    "gate": _without_gate,
}

if __name__ == "__main__":
    sys.exit(main())
