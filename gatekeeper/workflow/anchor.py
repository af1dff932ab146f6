"""Sends out of the house, once a day, where the ledger stands: only so is a cut end noticed later.

From inside, a ledger without its last entries looks whole. The number of entries and the hash of the last one are
therefore mailed each day to the headteacher and to the governor whom the school named, and stand on every receipt.
"""

from datetime import date, datetime, time
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.ledger import NO_HASH
from approvals.tables import Decision, LedgerEntry
from approvals.wall_clock import when
from gatekeeper.clock import london
from gatekeeper.mail.model import Notice
from gatekeeper.mail.order import find_notice, order_once
from gatekeeper.people.school import school_settings
from gatekeeper.people.staff import Role, Staff
from gatekeeper.workflow.services import Services

KIND: Final = "anchor"
FROM: Final = time(7, 0)  # by the school's wall clock


class Anchor(NamedTuple):
    """How many entries the ledger had, and the hash of the last of them, which seals them all."""

    entries: int
    head: str


class Mailed(NamedTuple):
    """What was mailed last. `sent` is empty while no mail server has taken it."""

    anchor: Anchor
    ordered: datetime
    sent: datetime | None


def current(session: Session) -> Anchor:
    """Where the ledger stands now."""
    last = session.execute(select(LedgerEntry.seq, LedgerEntry.hash).order_by(LedgerEntry.seq.desc()).limit(1)).first()
    return Anchor(last.seq, last.hash) if last else Anchor(0, NO_HASH)


def at_decision(session: Session, decision: Decision) -> Anchor:
    """Where the ledger stood once this decision was written into it: the decision's own entry is the last one."""
    written = session.execute(select(LedgerEntry.hash).where(LedgerEntry.seq == decision.ledger_seq)).scalar_one()
    return Anchor(decision.ledger_seq, written)


def run(services: Services) -> int:
    """Order today's e-mails, from seven in the morning on; says how many. Ordered once, they are sent for certain."""
    now = services.clock.now()
    if london(now).time() < FROM:
        return 0
    today = london(now).date()
    with services.db.read() as session:  # most rounds there is nothing, and then no writer's place is taken
        waiting = current(session).entries and any(
            find_notice(session, KIND, staff_id=reader, subject=_subject(today)) is None
            for reader in _readers(session, today)
        )
    if not waiting:
        return 0
    with services.step() as session:
        entries, head = current(session)
        context = {"entries": entries, "head": head, "moment": when(now), "day": when(now).rpartition(" at ")[0]}
        ordered = [
            order_once(session, KIND, staff_id=reader, subject=_subject(today), context=context, now=now)
            for reader in _readers(session, today)
        ]
    return sum(new for _, new in ordered)


def last_mailed(session: Session) -> Mailed | None:
    """What was mailed last, as the order of it says."""
    notice = session.scalars(select(Notice).where(Notice.kind == KIND).order_by(Notice.id.desc()).limit(1)).first()
    if notice is None:
        return None
    anchor = Anchor(int(notice.context["entries"]), str(notice.context["head"]))
    return Mailed(anchor, notice.created_at, notice.sent_at if not notice.problem else None)


def _subject(day: date) -> str:
    return f"{KIND}:{day.isoformat()}"


def _readers(session: Session, today: date) -> list[int]:
    """The headteacher, and the governor whom the school named, as far as their accounts are open."""
    governor = school_settings(session)["governor"]
    staff = session.scalars(select(Staff).where((Staff.role == Role.HEADTEACHER) | (Staff.id == governor)))
    return [person.id for person in staff.all() if person.may_sign_in(today)]
