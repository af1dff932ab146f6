"""The last act of a drill: the school is put back from a backup of its busiest moment, and nothing may go out again.

The backup is taken while posts are on their way. By the time it is restored all of them have come to their end, so
whatever it calls waiting or unknown is public already, or was stopped since. The person of the drill does what the
headteacher of a school does: answers what cannot be looked up, stops again what was stopped, and finishes the restore.
"""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from approvals import proofs
from gatekeeper.bootstrap import build_services
from gatekeeper.clock import SystemClock
from gatekeeper.ops.drill.oracle import Oracle
from gatekeeper.ops.drill.pace import pace
from gatekeeper.ops.drill.postgresql import fresh_database
from gatekeeper.ops.drill.school import DrillSchool, Sent
from gatekeeper.ops.restore import restore
from gatekeeper.posts.status import PublicationState
from gatekeeper.settings import load_settings
from gatekeeper.workflow import claim, publish, reconcile, restoration
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.step_up import Proof

_PIN: Final = "739284"
_PATIENCE: Final = 20  # last looks
_PAUSE: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class AfterRestore:
    """What was seen after the restore.

    Attributes:
        looked_up: posts of which the backup did not know whether they had gone out.
        found: those that turned out to be public already.
        asked: those about which the person was asked.
        sent_again: what the public sees now and did not see before. Nothing was waiting any more, so it must be none.
        finished: whether every question came to an answer, so that the restore could be finished.
    """

    looked_up: int
    found: int
    asked: int
    sent_again: int
    finished: bool


@contextmanager
def database_beside(folder: Path, url: str) -> Iterator[str]:
    """The address of an empty database of the same kind for the school that is put back."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{folder / 'gatekeeper.db'}"
        return
    with fresh_database(folder, url) as beside:
        yield beside


def put_back(
    source: Path,
    environ: Mapping[str, str],
    *,
    keys: Path,
    school: DrillSchool,
    known: Mapping[int, Sent],
    forbidden: set[int],
    oracle: Oracle,
    factor: float,
) -> AfterRestore:
    """Restore the backup into the empty folder and database of `environ`, and go on from there until all is known."""
    data = Path(environ["GATEKEEPER_DATA"])
    shutil.copytree(keys, data / "keys")
    looked_up = restore(source, environ, clock=SystemClock(), tell=lambda _line: None)
    before = _seen(oracle, known)
    there = school.at(load_settings("web", environ))
    settings = replace(load_settings("publisher", environ), timings=pace(factor))
    publisher = build_services(settings)
    try:
        public = _public(there, known)
        asked = _until_known(publisher, there, known, oracle)
        with publisher.db.read() as session:
            standing = restoration.standing(session)
        finished = standing is not None and standing.ready
        if finished:
            _put_right(there, known, forbidden)
            _finish(there)
            for _ in range(len(known)):
                if not _turn(publisher):
                    break
        return AfterRestore(
            looked_up=looked_up,
            found=_public(there, known) - public,
            asked=asked,
            sent_again=_seen(oracle, known) - before,
            finished=finished,
        )
    finally:
        publisher.db.engine.dispose()
        there.services.db.engine.dispose()


def _seen(oracle: Oracle, known: Mapping[int, Sent]) -> int:
    oracle.look()
    return sum(len(oracle.of(number)) for number in known)


def _public(there: DrillSchool, known: Mapping[int, Sent]) -> int:
    states = there.states([sent.publication for sent in known.values()])
    return sum(state is PublicationState.PUBLISHED for state in states.values())


def _turn(services: Services) -> bool:
    """What a publisher does in one turn; says whether there was anything to send."""
    reconcile.recover(services)
    reconcile.reconcile(services)
    claims = claim.claim_due(services, owner="restored")
    for held in claims:
        publish.publish(services, held, guard=lambda _seconds: nullcontext())
    return bool(claims)


def _until_known(services: Services, there: DrillSchool, known: Mapping[int, Sent], oracle: Oracle) -> int:
    """Look up and answer until nothing is open, or for so long; how many were asked about."""
    asked = 0
    deadline = (
        time.monotonic()
        + max(_PATIENCE * services.settings.timings.reads[-1], timedelta(seconds=_PATIENCE)).total_seconds()
    )
    while time.monotonic() < deadline:
        _turn(services)
        states = there.states([sent.publication for sent in known.values()])
        oracle.look()
        for number, sent in known.items():
            if states.get(sent.publication) is PublicationState.NEEDS_PERSON:
                seen = oracle.of(number)
                there.answer(sent.publication, seen=seen[0].id if seen else None)
                asked += 1
        with services.db.read() as session:
            standing = restoration.standing(session)
        if standing is None or standing.ready:
            break
        time.sleep(_PAUSE)
    return asked


def _put_right(there: DrillSchool, known: Mapping[int, Sent], forbidden: set[int]) -> None:
    """Do once more what was done after the backup was taken: stop, edit, withdraw the permission."""
    states = there.states([known[number].publication for number in forbidden])
    for number in sorted(forbidden):
        if states.get(known[number].publication) is PublicationState.SCHEDULED:
            there.change(known[number])


def _finish(there: DrillSchool) -> None:
    services = there.services
    with services.step() as session:
        proofs.set_pin(session, there.head, _PIN, now=services.clock.now())
    restoration.finish(services, by=there.head, proof=Proof(pin=_PIN))
