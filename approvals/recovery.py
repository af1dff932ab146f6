"""Leave to choose a second proof anew without the old one: asked by an administrator, stoppable for a day.

Whoever runs the server or reads the headteacher's e-mails must not become the headteacher quietly. So the person
themselves, every headteacher and every other administrator hear of it at once, and a day goes by before it counts. It
serves once, within a week.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from approvals import ledger, passkeys, proofs
from approvals.errors import RecoveryRefused
from approvals.tables import ApprovalView, LedgerEntry, ProofRecovery

COOLING_OFF: Final = timedelta(hours=24)
LASTS: Final = timedelta(days=7)
NOBODY: Final = 0  # stopped by the program itself: its time was over, or the account changed
_SHORTEST: Final = 10  # characters of a reason


def ask(session: Session, *, person_id: int, asked_by: int, reason: str, now: datetime) -> ProofRecovery:
    """Write down that this person may choose a new second proof, from tomorrow on.

    Raises:
        RecoveryRefused: asked by the person themselves, without a reason, without need, or asked already.
    """
    reason = " ".join(reason.split())
    if person_id == asked_by:
        raise RecoveryRefused("Nobody can ask this for themselves. Another administrator has to.")
    if len(reason) < _SHORTEST:
        raise RecoveryRefused("Please say in a sentence why; the person and the headteacher read it.")
    ledger.hold(session)
    if not proofs.has_pin(session, person_id) and not passkeys.had_one(session, person_id):
        raise RecoveryRefused("This person never had a PIN or a passkey. They can choose one on their account page.")
    close_lapsed(session, now)
    if waiting(session, person_id) is not None:
        raise RecoveryRefused("This was asked already. It can be stopped, or used once its wait is over.")
    # never earlier than what is written already: a clock that was set back for a while must not shorten the wait
    newest = session.scalar(select(LedgerEntry.at).order_by(LedgerEntry.seq.desc()).limit(1))
    start = max(now, newest) if newest else now
    asked = ProofRecovery(
        id=uuid4().hex,
        person_id=person_id,
        asked_by=asked_by,
        reason=reason,
        asked_at=now,
        effective_at=start + COOLING_OFF,
        lapses_at=start + COOLING_OFF + LASTS,
    )
    session.add(asked)
    session.flush()
    body = {"recovery": asked.id, "person": person_id, "by": asked_by}
    ledger.append(session, at=now, kind="recovery.asked", body=body)
    return asked


def waiting(session: Session, person_id: int) -> ProofRecovery | None:
    """What was asked for this person and neither used, stopped nor lapsed so far."""
    mine = select(ProofRecovery).where(
        ProofRecovery.person_id == person_id, ProofRecovery.used_at.is_(None), ProofRecovery.stopped_at.is_(None)
    )
    return session.scalars(mine.execution_options(populate_existing=True)).one_or_none()


def all_waiting(session: Session) -> list[ProofRecovery]:
    """Every recovery that is neither used nor stopped, oldest first."""
    open_ones = select(ProofRecovery).where(ProofRecovery.used_at.is_(None), ProofRecovery.stopped_at.is_(None))
    return list(session.scalars(open_ones.order_by(ProofRecovery.asked_at)))


def is_usable(asked: ProofRecovery | None, *, now: datetime) -> bool:
    """Whether the wait is over and the week is not."""
    return asked is not None and asked.asked_at <= asked.effective_at <= now < asked.lapses_at


def stop(session: Session, asked: ProofRecovery, *, by_person: int, now: datetime) -> None:
    """End it unused. Whether this person may, the caller has asked.

    Raises:
        RecoveryRefused: it is used or stopped already.
    """
    ledger.hold(session)
    session.refresh(asked)
    if asked.used_at is not None or asked.stopped_at is not None:
        raise RecoveryRefused("This is settled already.")
    _end(session, asked, by=by_person, now=now)


def stop_for(session: Session, person_id: int, *, by_person: int | None, now: datetime) -> None:
    """End what stands for somebody whose role changed or whose account is closed."""
    ledger.hold(session)
    asked = waiting(session, person_id)
    if asked is not None:
        _end(session, asked, by=by_person or NOBODY, now=now)


def close_lapsed(session: Session, now: datetime) -> int:
    """End those whose week is over, so that no clock set back brings one to life again. Says how many."""
    lapsed = [asked for asked in all_waiting(session) if asked.lapses_at <= now]
    if lapsed:
        ledger.hold(session)
    for asked in lapsed:
        session.refresh(asked)
        if asked.used_at is None and asked.stopped_at is None:
            _end(session, asked, by=NOBODY, now=now)
    return len(lapsed)


def use(session: Session, person_id: int, *, now: datetime) -> None:
    """Use it up: the old PIN, every passkey and every proof given with them end.

    The new one follows in the caller's transaction; without it nothing ends.

    Raises:
        RecoveryRefused: there is none, its wait is not over, or its week is.
    """
    ledger.hold(session)
    asked = waiting(session, person_id)
    if asked is None or not is_usable(asked, now=now):
        raise RecoveryRefused("Nothing allows you to choose a new proof without the old one, or not yet, or no longer.")
    asked.used_at = now
    ledger.append(session, at=now, kind="recovery.used", body={"recovery": asked.id, "person": person_id})
    proofs.remove_pin(session, person_id, by_person=person_id, now=now)
    for passkey in passkeys.standing(session, person_id):
        passkeys.end(session, passkey, by_person=person_id, now=now)
    session.execute(delete(ApprovalView).where(ApprovalView.person_id == person_id))
    session.flush()


def _end(session: Session, asked: ProofRecovery, *, by: int, now: datetime) -> None:
    asked.stopped_at, asked.stopped_by = now, by
    body = {"recovery": asked.id, "person": asked.person_id, "by": by or None}
    ledger.append(session, at=now, kind="recovery.stopped", body=body)
