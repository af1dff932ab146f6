"""The publisher process: the only one that sends.

It runs its own loop, not inside RQ: the kernel timer that kills a send past its lease is the same signal that RQ uses
for its time limits, and a promise must not hang on a queue. Any number of publishers may run beside each other.
"""

import logging
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from types import FrameType

from sqlalchemy.exc import OperationalError

from gatekeeper.bootstrap import build_services
from gatekeeper.errors import SettingsError
from gatekeeper.log import configure_logging, place_of
from gatekeeper.ops.kinship import die_with
from gatekeeper.settings import load_settings
from gatekeeper.workflow import claim, publish, reconcile
from gatekeeper.workflow.services import Services

log = logging.getLogger("workers.publish")

_FAULT_PAUSE = 2.0
_TOGETHER = 50  # posts that are claimed together at most ...
_PART = 0.5  # ... and no more than go out in this part of a poll interval
_NEWS = 20  # e-mails that the queue is told of at once; the mail worker looks for the others itself
_NO_DATABASE = (
    "Nothing is sent until the database can be written again. Look whether the disk is full or read-only, whether "
    "another program holds the database, and whether its server runs. No post is lost."
)


@contextmanager
def kernel_guard(seconds: float) -> Iterator[None]:
    """Let the kernel kill this process once the lease is over, so that a stalled send can never go out late.

    SIGALRM keeps its default action: no Python code has to run for it. A process that slept through its whole lease
    (a frozen machine) finds no time left and dies before it connects.
    """
    if seconds <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def turn(services: Services, *, owner: str, stopping: "Stopping | None" = None, look: bool = True) -> int:
    """One turn of the loop: look up what is unclear, send what is due. Says to how many posts it turned.

    While many are due, the looking up is done once in each poll interval and not before every single one, and no more
    are claimed together than go out in a small part of one: a slow platform gets them one at a time, each when it is
    its turn. What was claimed and is not begun within a poll interval is given back.
    """
    looked = 0
    if look:
        reconcile.recover(services)
        looked = reconcile.reconcile(services)
    poll = services.settings.timings.poll
    news: list[tuple[str, int]] = []
    quiet = replace(services, wake=news.extend)  # the queue hears of it once, and not within the line of sends
    began = time.monotonic()
    sent = 0
    try:
        claims = claim.claim_due(quiet, owner=owner, limit=1, miss=look)
        while claims:
            claimed = time.monotonic()

            def go_on(since: float = claimed) -> bool:
                return time.monotonic() < since + poll and not (stopping is not None and stopping.asked)

            publish.publish_all(quiet, claims, guard=kernel_guard, go_on=go_on)
            sent += len(claims)
            if not go_on(began):
                break
            each = (time.monotonic() - claimed) / len(claims)
            claims = claim.claim_due(
                quiet, owner=owner, limit=max(1, min(_TOGETHER, int(poll * _PART / each))), miss=False
            )
    finally:
        services.wake(news[:_NEWS])
    return looked + sent


class Stopping:
    """Whether somebody asked this process to stop; the send at hand is finished first."""

    def __init__(self) -> None:
        self._event = threading.Event()
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self._event.set()

    @property
    def asked(self) -> bool:
        """Whether to stop once nothing is at hand."""
        return self._event.is_set()

    def pause(self, seconds: float) -> None:
        """Wait so long, or until somebody asks."""
        self._event.wait(seconds)


def main() -> int:
    """Publish what is due until asked to stop."""
    configure_logging("publisher")
    die_with(os.getppid())
    stopping = Stopping()
    try:
        services = build_services(load_settings("publisher"))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    log.info("ready")
    keep_publishing(services, stopping)
    return 0


def keep_publishing(services: Services, stopping: Stopping) -> None:
    """Turn after turn until somebody asks to stop."""
    owner = f"{socket.gethostname()}:{os.getpid()}"
    poll = services.settings.timings.poll
    looked_at = -math.inf
    while not stopping.asked:
        try:
            look = time.monotonic() >= looked_at + poll
            busy = turn(services, owner=owner, stopping=stopping, look=look)
            pause = claim.until_next(services, at_most=timedelta(seconds=poll))
        except OperationalError as error:
            log.critical("%s (%s)", _NO_DATABASE, place_of(error))
            stopping.pause(_FAULT_PAUSE)
            continue
        except Exception as error:  # noqa: BLE001 - nothing is half done, because every step is one transaction
            log.error("a turn failed: %s", place_of(error))  # noqa: TRY400 - the text may quote a post
            stopping.pause(_FAULT_PAUSE)
            continue
        if look:
            looked_at = time.monotonic()
        if not busy:
            stopping.pause(pause.total_seconds())


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    os._exit(code)  # everything is put away; taking the interpreter apart would only cost the stop its time
