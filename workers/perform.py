"""Does one piece of ordered work: claims it in the database, takes the workflow's step, strikes the order off.

It may be asked twice, late or for nothing: without a claim it does nothing, and that is what makes the queue's losses
and repeats harmless. It never raises: what went wrong is postponed, or given up with a sentence for a person. Logs
name the kind of failure and its place, never its text, which may quote a draft or a name.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from gatekeeper import jobs
from gatekeeper.bootstrap import build_services
from gatekeeper.errors import GatekeeperError
from gatekeeper.log import place_of
from gatekeeper.settings import load_settings
from gatekeeper.workflow.services import Services

log = logging.getLogger("workers")

Step = Callable[[Services, int], None]
GiveUp = Callable[[Services, int, str], None]

_ENDED = "It was tried several times and never came to an end. Please try again, and tell your administrator."


class Holding(Protocol):
    """Keeps a note of the work in hand (`held.HeldWork`)."""

    def note(self, claim: jobs.Claim) -> None:
        """This process is about to do that."""

    def forget(self) -> None:
        """It is done, or put back."""


class _Process:
    """What the jobs of this process share. A forked child inherits it."""

    services: Services | None = None
    build: Callable[[str], Services] = staticmethod(lambda process: build_services(load_settings(process)))
    held: Holding | None = None


def use(services: Services | None, *, held: Holding | None = None) -> None:
    """Let the jobs of this process work with these services; None means that each process builds its own."""
    _Process.services, _Process.held = services, held


def build_with(build: Callable[[str], Services], *, held: Holding) -> None:
    """Let each forked child build its services so, at its first job."""
    _Process.services, _Process.build, _Process.held = None, staticmethod(build), held


def services_for(process: str) -> Services:
    """The services of this process, built when they are first asked for."""
    if _Process.services is None:
        _Process.services = _Process.build(process)
    return _Process.services


def perform(job: jobs.Job, subject_id: int, *, step: Step, give_up: GiveUp | None = None) -> None:
    """Do this piece of work if it is there to be done.

    Args:
        job: the kind of work.
        subject_id: the id of what it is about.
        step: the workflow's step.
        give_up: what the workflow does when the tries are used up; without it the work is tried on, ever more rarely.
    """
    services = services_for(job.queue)
    with services.step() as session:
        claim = jobs.claim(session, job, subject_id, now=services.clock.now())
    if claim is None:
        log.debug("%s %d: nothing to do", job.name, subject_id)
        return
    held = _Process.held
    if held:
        held.note(claim)
    if give_up is not None and claim.attempt > job.tries:  # the last try ended the whole process
        done = _try(services, job, claim, lambda: give_up(services, subject_id, _ENDED))
    else:
        done = _try(services, job, claim, lambda: step(services, subject_id), give_up)
    with services.step() as session:
        if done:
            jobs.finish(session, claim)
        else:
            jobs.postpone(session, claim, now=services.clock.now())
    if held:
        held.forget()


def _try(
    services: Services, job: jobs.Job, claim: jobs.Claim, act: Callable[[], None], give_up: GiveUp | None = None
) -> bool:
    """Whether the work has come to an end, good or bad."""
    try:
        act()
    except Exception as err:  # noqa: BLE001 - whatever it was, the order must not be lost
        log.warning("%s %d failed at try %d: %s", job.name, claim.subject_id, claim.attempt, place_of(err))
        if give_up is None or claim.attempt < job.tries:
            return False
        reason = str(err) if isinstance(err, GatekeeperError) else _ENDED
        return _try(services, job, claim, lambda: give_up(services, claim.subject_id, reason))
    return True
