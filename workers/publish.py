"""The publisher process: the only one that sends.

It runs its own loop, not inside RQ: the kernel timer that kills a send past its lease is the same signal that RQ uses
for its time limits, and a promise must not hang on a queue. Any number of publishers may run beside each other.
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
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


def turn(services: Services, *, owner: str, stopping: "Stopping | None" = None) -> int:
    """One turn of the loop: look up what is unclear, send what is due. Says to how many posts it turned.

    Each is claimed when it is its turn and not before. While many are due, the looking up is done once in each poll
    interval and not before every single one.
    """
    reconcile.recover(services)
    looked = reconcile.reconcile(services)
    until = time.monotonic() + services.settings.timings.poll
    claims = claim.claim_due(services, owner=owner, limit=1)
    sent = 0
    while claims:
        sent += len(claims)
        for held in claims:
            publish.publish(services, held, guard=kernel_guard)
        if time.monotonic() >= until or (stopping is not None and stopping.asked):
            break
        claims = claim.claim_due(services, owner=owner, limit=1, miss=False)
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
    while not stopping.asked:
        try:
            busy = turn(services, owner=owner, stopping=stopping)
        except OperationalError as error:
            log.critical("%s (%s)", _NO_DATABASE, place_of(error))
            stopping.pause(_FAULT_PAUSE)
            continue
        except Exception as error:  # noqa: BLE001 - nothing is half done, because every step is one transaction
            log.error("a turn failed: %s", place_of(error))  # noqa: TRY400 - the text may quote a post
            stopping.pause(_FAULT_PAUSE)
            continue
        if not busy:
            stopping.pause(services.settings.timings.poll)


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    os._exit(code)  # everything is put away; taking the interpreter apart would only cost the stop its time
