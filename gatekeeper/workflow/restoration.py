"""After a database was put back from a backup: nothing is sent until what is due since is known, and the head says so.

The backup knows nothing of what happened after it was taken: a post may be public that it calls waiting, an approval
may have been taken back, a family may have withdrawn its permission. So every post whose time has come is first looked
up on its channel, or asked about, and the headteacher lets sending go on by the second proof.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from approvals import ledger
from approvals.columns import utc_text
from gatekeeper.clock import london
from gatekeeper.errors import Conflict, NotAllowed
from gatekeeper.people.staff import Role, Staff, StaffSession, record
from gatekeeper.posts.model import Publication, Restoration
from gatekeeper.posts.status import PublicationState as S
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.step_up import Proof, confirm

ACTION = "restoration"
_LOOKED_UP = "The database was put back from a backup; it is being looked up whether this went out."
_MAY_HAVE_GONE = (S.SCHEDULED, S.CLAIMED, S.SENDING, S.UNKNOWN)
_TOLD = (Role.HEADTEACHER, Role.DEPUTY, Role.ADMINISTRATOR)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A restoration that is not finished.

    Attributes:
        taken_at: the moment of the backup: what happened after it is not known here.
        looked_up: posts that are still being looked up on their channels.
        asked: posts about which a person is asked.
        waiting: approved posts whose time is still to come; they go out once sending goes on.
    """

    taken_at: datetime
    restored_at: datetime
    looked_up: int
    asked: int
    waiting: int

    @property
    def ready(self) -> bool:
        """Whether nothing is left to be found out."""
        return not (self.looked_up or self.asked)


def begin(session: Session, *, taken_at: datetime, now: datetime) -> int:
    """Stop all sending, and mark what may have gone out since the backup as unknown; says how many that were.

    Everybody is signed out: a browser that was signed out after the backup would be signed in again.
    """
    session.add(Restoration(taken_at=taken_at, restored_at=now))
    found = session.scalars(
        select(Publication).where(Publication.state.in_(_MAY_HAVE_GONE), Publication.due_at <= now).with_for_update()
    ).all()
    for publication in found:
        # not a move of the machine: whoever wrote "scheduled" could not know what happened after the backup
        publication.state = S.UNKNOWN
        publication.sent_at = publication.sent_at or publication.due_at
        publication.reads, publication.next_at, publication.lease_until = 0, now, None
        publication.fence += 1  # a process that still holds the old claim can do nothing with it
        publication.problem = _LOOKED_UP
    session.execute(delete(StaffSession))
    body = {"taken_at": utc_text(taken_at), "looked_up": len(found)}
    ledger.append(session, at=now, kind="restore.begun", body=body)
    record(session, at=now, staff_id=None, action="restore.begun", subject="school", detail={"looked_up": len(found)})
    return len(found)


def standing(session: Session) -> Standing | None:
    """The restoration that is not finished, if there is one."""
    row = session.scalars(
        select(Restoration).where(Restoration.finished_at.is_(None)).order_by(Restoration.id).limit(1)
    ).first()
    if row is None:
        return None
    counted = dict(session.execute(select(Publication.state, func.count()).group_by(Publication.state)).all())
    return Standing(
        taken_at=row.taken_at,
        restored_at=row.restored_at,
        looked_up=sum(counted.get(state, 0) for state in (S.UNKNOWN, S.SENDING)),
        asked=counted.get(S.NEEDS_PERSON, 0),
        waiting=counted.get(S.SCHEDULED, 0),
    )


def finish(services: Services, *, by: int, proof: Proof) -> None:
    """Let sending go on: the headteacher's word, by the second proof, that what the backup did not know is put right.

    Raises:
        NotAllowed: somebody else than the headteacher.
        Conflict: nothing stands open, or something is still to be found out.
        ProofRefused: the second proof was not given.
    """
    with services.db.read() as session:
        _check_can_finish(session, by)
    method = confirm(services, by, proof, action=ACTION)
    now = services.clock.now()
    with services.step() as session:
        ledger.hold(session)
        _check_can_finish(session, by)
        for row in session.scalars(select(Restoration).where(Restoration.finished_at.is_(None)).with_for_update()):
            row.finished_at = now
        ledger.append(session, at=now, kind="restore.finished", body={"by": by, "proof": method})
        record(session, at=now, staff_id=by, action="restore.finished", subject="school")
        _tell_finished(session, by, now=now)


def _tell_finished(session: Session, by: int, *, now: datetime) -> None:
    told = {"by": session.get_one(Staff, by).name, "since": "", "restored": True}
    for person in session.scalars(select(Staff).where(Staff.role.in_(_TOLD)).order_by(Staff.id)):
        if person.may_sign_in(london(now).date()):
            subject = f"restore:{now:%Y%m%dT%H%M%S}"
            tell(session, "sending_on", staff_id=person.id, subject=subject, context=told, now=now)


def _check_can_finish(session: Session, by: int) -> None:
    person = session.get(Staff, by)
    if person is None or person.role != Role.HEADTEACHER:
        raise NotAllowed("Only the headteacher lets sending go on after a restore.")
    found = standing(session)
    if found is None:
        raise Conflict("No restore is waiting to be finished.")
    if not found.ready:
        raise Conflict("Some posts are still being looked up, or wait for somebody's answer.")
