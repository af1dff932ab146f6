"""Asks a signed-in person for their second proof before something weighty: naming a deputy, changing a proof.

A password alone is not enough there, because whoever reads somebody's e-mails can set a new one. A try is counted in
a transaction of its own before it is looked at, so that whatever the caller does afterwards takes no count back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy.orm import Session

from approvals import passkeys, proofs
from approvals.challenges import Occasion
from approvals.errors import ProofMissing
from approvals.passkeys import PasskeyCheck
from gatekeeper.people.staff import record
from gatekeeper.workflow.notify import tell
from gatekeeper.workflow.passkey_place import place_of
from gatekeeper.workflow.services import Services

NOT_GIVEN: Final = "Please give your second proof: your passkey, or your PIN."
COPIED: Final = (
    "One of your passkeys counted backwards, which happens when somebody made a copy of it. It is ended and takes no "
    "more answers."
)


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
    now = services.clock.now()
    if proof.assertion:
        with services.step() as session:
            place, occasion = place_of(services, session), occasion_of(person_id, action)
            answered = passkeys.check(session, proof.assertion, occasion, place=place, now=now)
            tell_if_ended(session, person_id, answered, now=now)
        answered.demand()
        return passkeys.PASSKEY
    if not proof.pin.strip():
        raise ProofMissing(NOT_GIVEN)
    with services.step() as session:
        check = proofs.check_pin(session, person_id, proof.pin, now=now)
        if check.locked_now:
            tell_locked(session, person_id, now=now)
    check.demand()
    return proofs.PIN


def occasion_of(person_id: int, action: str) -> Occasion:
    """The occasion on which a signed-in person is asked. No e-mailed link has one that begins like this."""
    return Occasion(person_id=person_id, purpose=f"do:{action}"[:20])


def tell_locked(session: Session, person_id: int, *, now: datetime) -> None:
    """Write down that somebody's PIN is locked from this moment on, and tell them."""
    record(session, at=now, staff_id=person_id, action="pin.locked", subject=f"staff:{person_id}")
    tell(session, "pin_locked", staff_id=person_id, subject=f"pin:{now:%Y%m%dT%H%M%S}", context={}, now=now)


def tell_if_ended(session: Session, person_id: int, answered: PasskeyCheck, *, now: datetime) -> None:
    """Write down that a passkey was ended because it may have been copied, and tell its owner."""
    if answered.ended_now:
        record(session, at=now, staff_id=person_id, action="passkey.ended", subject=f"staff:{person_id}")
        tell_changed(session, person_id, COPIED, now=now)


def tell_changed(session: Session, person_id: int, sentence: str, *, now: datetime) -> None:
    """Tell somebody that the way they prove themselves has changed. Each change is one e-mail."""
    subject = f"proof:{uuid4().hex}"
    tell(session, "proof_changed", staff_id=person_id, subject=subject, context={"sentence": sentence}, now=now)
