"""The emergency stop: one press holds every channel at once; only the headteacher, by the second proof, lets go.

Pressing takes no proof, because it can only keep something from being sent, and must cost no second. Whoever sends asks
for it in the transaction that writes the intent, and once more right before the call; both take the ledger's lock in
turn with the press, so what is counted here as being sent is everything that could still become public.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import exists, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from approvals import ledger
from approvals.statements import tidy
from approvals.wall_clock import when
from gatekeeper.clock import london
from gatekeeper.errors import BadInput, Conflict, GatekeeperError, NotAllowed
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.posts.model import Attempt, EmergencyStop, Publication
from gatekeeper.posts.status import PublicationState
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.step_up import Proof, confirm
from gatekeeper.workflow.stopped import EMERGENCY

log = logging.getLogger(__name__)

ACTION: Final = "sending"
MAY_PRESS: Final = frozenset({Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR})
LONGEST_REASON: Final = 300
#: seconds; a database that is only busy is asked so often that it takes the stop before whatever else waits for it
_AGAIN_AFTER: Final = 0.01
_PATIENCE: Final = 10.0
_NOT_WRITTEN: Final = (
    "The stop could not be written down, because the database does not take anything at this moment. Press again. If it "
    "still fails, end Gatekeeper on its computer: nothing is sent while it does not run."
)


class StopNotWritten(GatekeeperError):
    """The database took nothing, so nothing is stopped by it. Without the database nothing new is sent either."""


@dataclass(frozen=True, kw_only=True)
class Pressed:
    """What one press did.

    Attributes:
        fresh: whether it was this press that stopped everything; otherwise somebody had pressed already.
        being_sent: how many posts had been handed to a platform, or were about to be, and may become public.
    """

    fresh: bool
    being_sent: int = 0


def press(services: Services, *, by: int, reason: str = "") -> Pressed:
    """Stop everything now, on every channel.

    Raises:
        NotAllowed: their role does not stop everything.
        BadInput: the reason is too long.
        StopNotWritten: the database took nothing although it was asked several times.
    """
    reason = tidy(reason)
    if len(reason) > LONGEST_REASON:
        raise BadInput(f"Please say why in at most {LONGEST_REASON} characters.")
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return _press(services, by=by, reason=reason)
        except OperationalError as error:
            if time.monotonic() > until:
                log.critical("the emergency stop could not be written down")
                raise StopNotWritten(_NOT_WRITTEN) from error
            time.sleep(_AGAIN_AFTER)


def _press(services: Services, *, by: int, reason: str) -> Pressed:
    with services.step(hurried=True) as session:
        ledger.hold(session)
        now = services.clock.now()
        person = _person(session, by, now=now)
        if person is None or Role(person.role) not in MAY_PRESS:
            raise NotAllowed("The headteacher, a deputy headteacher or an administrator stops everything.")
        if standing(session) is not None:
            return Pressed(fresh=False)
        being_sent = list(
            session.scalars(
                select(Publication.id).where(Publication.state == PublicationState.SENDING).order_by(Publication.id)
            )
        )
        stop = EmergencyStop(pressed_by=by, pressed_at=now, reason=reason, standing=1)
        session.add(stop)
        session.flush()
        ledger.append(
            session, at=now, kind="emergency.pressed", body={"stop": stop.id, "by": by, "being_sent": being_sent}
        )
        record(session, at=now, staff_id=by, action="emergency.pressed", subject=f"stop:{stop.id}")
        told = {"by": person.name, "since": when(now), "being_sent": len(being_sent)}
        _tell_all(session, "sending_stopped", stop, told, now=now)
        return Pressed(fresh=True, being_sent=len(being_sent))


def lift(services: Services, *, by: int, proof: Proof) -> None:
    """Let sending go on: what is still within its approved window goes out, in the order of its time.

    Raises:
        NotAllowed: somebody else than the headteacher.
        Conflict: the stop is not pressed (any more).
        ProofRefused: the second proof was not given.
    """
    with services.db.read() as session:
        _to_lift(session, by, now=services.clock.now())
    method = confirm(services, by, proof, action=ACTION)
    with services.step() as session:
        ledger.hold(session)
        now = services.clock.now()
        stop, person = _to_lift(session, by, now=now)
        stop.standing, stop.lifted_at, stop.lifted_by, stop.proof_method = None, now, by, method
        _back_in_line(session, now=now)
        ledger.append(session, at=now, kind="emergency.lifted", body={"stop": stop.id, "by": by, "proof": method})
        record(session, at=now, staff_id=by, action="emergency.lifted", subject=f"stop:{stop.id}")
        told = {"by": person.name, "since": when(stop.pressed_at), "restored": False}
        _tell_all(session, "sending_on", stop, told, now=now)


def standing(session: Session) -> EmergencyStop | None:
    """The stop that is pressed at this moment, if one is."""
    return session.scalars(select(EmergencyStop).where(EmergencyStop.standing == 1)).first()


def _to_lift(session: Session, by: int, *, now: datetime) -> tuple[EmergencyStop, Staff]:
    person = _person(session, by, now=now)
    if person is None or person.role != Role.HEADTEACHER:
        raise NotAllowed("Only the headteacher lets sending go on.")
    stop = standing(session)
    if stop is None:
        raise Conflict("Sending is not stopped, so there is nothing to lift.")
    return stop, person


def _person(session: Session, staff_id: int, *, now: datetime) -> Staff | None:
    person = session.get(Staff, staff_id, populate_existing=True)
    return person if person is not None and person.may_sign_in(london(now).date()) else None


def _back_in_line(session: Session, *, now: datetime) -> None:
    """What was caught right before its call waits no longer than the others, and no longer says that it is stopped."""
    caught = exists().where(
        Attempt.publication_id == Publication.id,
        Attempt.fence == Publication.fence,
        Attempt.outcome == "not_sent",
        Attempt.detail == EMERGENCY,
    )
    waiting = Publication.state == PublicationState.SCHEDULED
    session.execute(
        update(Publication)
        .where(waiting, caught)
        .values(next_at=now, problem="")
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Publication)
        .where(waiting, Publication.problem == EMERGENCY)
        .values(problem="")
        .execution_options(synchronize_session=False)
    )


def _tell_all(session: Session, kind: str, stop: EmergencyStop, context: dict[str, Any], *, now: datetime) -> None:
    """Tell everybody who could have pressed it; its reason stays on the page, because it may speak of a child."""
    today = london(now).date()
    for person in session.scalars(select(Staff).where(Staff.role.in_(MAY_PRESS)).order_by(Staff.id)):
        if person.may_sign_in(today):
            tell(session, kind, staff_id=person.id, subject=f"stop:{stop.id}", context=context, now=now)
