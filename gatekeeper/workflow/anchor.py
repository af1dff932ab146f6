"""Where the ledger stood: what a receipt, a bundle or an e-mail says of it, so that a cut end is noticed later."""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.ledger import NO_HASH
from approvals.tables import Decision, LedgerEntry


class Anchor(NamedTuple):
    """How many entries the ledger had, and the hash of the last of them, which seals them all."""

    entries: int
    head: str


def current(session: Session) -> Anchor:
    """Where the ledger stands now."""
    last = session.execute(select(LedgerEntry.seq, LedgerEntry.hash).order_by(LedgerEntry.seq.desc()).limit(1)).first()
    return Anchor(last.seq, last.hash) if last else Anchor(0, NO_HASH)


def at_decision(session: Session, decision: Decision) -> Anchor:
    """Where the ledger stood once this decision was written into it: the decision's own entry is the last one."""
    written = session.execute(select(LedgerEntry.hash).where(LedgerEntry.seq == decision.ledger_seq)).scalar_one()
    return Anchor(decision.ledger_seq, written)
