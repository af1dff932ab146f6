"""Asks a signed-in person for their second proof before something weighty: naming a deputy, changing a proof.

A password alone is not enough there, because whoever reads somebody's e-mails can set a new one. A try is counted in
a transaction of its own before it is looked at, so that whatever the caller does afterwards takes no count back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from approvals import proofs
from approvals.errors import ProofMissing
from gatekeeper.people.staff import record
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.services import Services

NOT_GIVEN: Final = "Please give your second proof: your passkey, or your PIN."


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What the form sent: a PIN, or what a passkey signed."""

    pin: str = ""
    assertion: str = ""


def confirm(services: Services, person_id: int, proof: Proof, *, action: str) -> str:
    """Make sure that it is this very person who does this; returns how they proved it: "passkey" or "pin".

    Call it before the step's own transaction, never inside one.

    Args:
        services: the process's services.
        person_id: who is signed in.
        proof: what they gave.
        action: what it is for, a short word such as "deputy"; a passkey signs for this action and no other.

    Raises:
        ProofRefused: a subclass with a sentence for the person; the try stays counted.
    """
    del action  # a PIN is the same for every action; what a passkey signs is not
    if not proof.pin.strip():
        raise ProofMissing(NOT_GIVEN)
    now = services.clock.now()
    with services.step() as session:
        check = proofs.check_pin(session, person_id, proof.pin, now=now)
        if check.locked_now:
            tell_locked(session, person_id, now=now)
    check.demand()
    return proofs.PIN


def tell_locked(session: Session, person_id: int, *, now: datetime) -> None:
    """Write down that somebody's PIN is locked from this moment on, and tell them."""
    record(session, at=now, staff_id=person_id, action="pin.locked", subject=f"staff:{person_id}")
    tell(session, "pin_locked", staff_id=person_id, subject=f"pin:{now:%Y%m%dT%H%M%S}", context={}, now=now)
