"""Choosing, changing and ending the proofs with which somebody shows that it is really they who decide.

The very first proof needs the password. From then on adding or changing one needs a proof that is there already, and
never the password alone: whoever reads the headteacher's e-mails can set a new password, and must not become the
headteacher by it. Setting a password touches no proof. Who lost all their proofs waits for a recovery (`recover`).
Each change is mailed to the person and stands in the ledger and the audit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from approvals import passkeys, proofs, recovery
from approvals.challenges import Occasion
from approvals.errors import PasskeyRefused, PinUnusable, RecoveryRefused
from approvals.tables import ApproverPasskey
from gatekeeper.errors import BadInput, Conflict, NotAllowed, NotFound
from gatekeeper.people.staff import Role, Staff, record
from gatekeeper.workflow import accounts, recover, roles
from gatekeeper.workflow.passkey_place import place_of
from gatekeeper.workflow.services import Services
from gatekeeper.workflow.step_up import Proof, confirm, tell_changed, tell_locked

#: what a passkey is asked for when proofs are changed
CHANGE: Final = "proofs"
_ENROL: Final = "enrol"
_LAST: Final = "This is the only proof you have, and without one you cannot decide about a post. Add another one first."
_NOT_ANY_MORE: Final = "Your proofs changed in the meantime. Please look at the page again."


class Basis(StrEnum):
    """What somebody has to give before they get a new proof."""

    PASSWORD = "password"  # noqa: S105 - a word, no secret: they never had a proof
    PROOF = "proof"
    RECOVERY = "recovery"  # the password, after an administrator asked and the wait is over


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Which proofs somebody has."""

    passkeys: tuple[ApproverPasskey, ...]
    pin: bool
    pin_locked: bool
    tries_behind_password: int
    basis: Basis

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.passkeys) + self.pin

    @property
    def nag(self) -> bool:
        """Whether a passkey is still to be had."""
        return self.pin and not self.passkeys


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the form sent to show who asks for the change: the password or a proof, as the basis needs."""

    password: str = ""
    proof: Proof = field(default_factory=Proof)


def standing(session: Session, staff_id: int, *, now: datetime) -> Standing:
    """What somebody has, and what a new one would need."""
    pin = proofs.pin_state(session, staff_id)
    mine = tuple(passkeys.standing(session, staff_id))
    if recover.is_usable(session, recovery.waiting(session, staff_id), now=now):
        basis = Basis.RECOVERY
    elif pin.is_set or passkeys.had_one(session, staff_id):
        basis = Basis.PROOF
    else:
        basis = Basis.PASSWORD
    return Standing(
        passkeys=mine,
        pin=pin.is_set,
        pin_locked=pin.is_locked,
        tries_behind_password=pin.tries_behind_password,
        basis=basis,
    )


def set_pin(services: Services, staff_id: int, pin: str, given: Given) -> None:
    """Choose the PIN.

    Raises:
        BadInput: tied to `pin` or `password`.
        NotAllowed: this role decides nothing.
        ProofRefused: the proof that is needed is not there.
    """
    try:
        proofs.check_usable(pin)  # before a proof is asked for: it would be given in vain
        with _change(services, staff_id, given, told="A PIN was set for you.", action="pin.set") as (session, now):
            proofs.set_pin(session, staff_id, pin, now=now)
    except PinUnusable as unusable:
        raise BadInput(str(unusable), fields={"pin": str(unusable)}) from unusable


def enrolment(person_id: int) -> Occasion:
    """The occasion on which a new passkey is made."""
    return Occasion(person_id=person_id, purpose=_ENROL)


def add_passkey(services: Services, staff_id: int, *, label: str, response: str, given: Given) -> None:
    """Enrol the passkey that the browser has made.

    Raises:
        BadInput: tied to `label` or `password`, or to nothing where the passkey cannot be enrolled.
        NotAllowed: this role decides nothing.
        ProofRefused: the proof that is needed is not there.
    """
    label = check_label(label)
    if not response:
        raise BadInput("Your browser made no passkey. Please press the button again.")
    with _change(services, staff_id, given, told="A passkey was added for you.", action="passkey.added") as (
        session,
        now,
    ):
        place = place_of(services, session)
        try:
            passkeys.add(session, response, enrolment(staff_id), label=label, place=place, now=now)
        except PasskeyRefused as refused:
            raise BadInput(str(refused)) from refused


def rename_passkey(services: Services, staff_id: int, passkey_id: str, *, label: str) -> None:
    """Call a passkey something else; that proves nothing, so it needs no proof.

    Raises:
        BadInput: the name cannot be used.
        NotFound: there is no such passkey.
    """
    label = check_label(label)
    with services.step() as session:
        _find(session, staff_id, passkey_id).label = label
        now = services.clock.now()
        record(session, at=now, staff_id=staff_id, action="passkey.renamed", subject=f"staff:{staff_id}")


def end_passkey(services: Services, staff_id: int, passkey_id: str, given: Given) -> None:
    """End a passkey: from now on it opens nothing. What it signed stays checkable.

    Raises:
        Conflict: it is the last proof.
        NotFound: there is no such passkey.
        ProofRefused: the proof that is needed is not there.
    """
    with services.db.read() as session:
        _find(session, staff_id, passkey_id)
        _check_not_last(session, staff_id, now=services.clock.now())
    with _change(services, staff_id, given, told="A passkey of yours was ended.", action="passkey.ended") as (
        session,
        now,
    ):
        passkey = _find(session, staff_id, passkey_id)
        _check_not_last(session, staff_id, now=now)
        passkeys.end(session, passkey, by_person=staff_id, now=now)


def remove_pin(services: Services, staff_id: int, given: Given) -> None:
    """Accept no PIN any more; only with a passkey that takes its place.

    Raises:
        Conflict: it is the last proof, or there is none.
        ProofRefused: the proof that is needed is not there.
    """
    with services.db.read() as session:
        _check_not_last(session, staff_id, now=services.clock.now())
    told = "Your PIN is removed and no longer accepted."
    with _change(services, staff_id, given, told=told, action="pin.removed") as (session, now):
        _check_not_last(session, staff_id, now=now)
        if not proofs.remove_pin(session, staff_id, by_person=staff_id, now=now):
            raise Conflict(_NOT_ANY_MORE)


def unlock_pin(services: Services, staff_id: int, pin: str) -> None:
    """Try a locked PIN where one is signed in; the right one unlocks it.

    Raises:
        ProofRefused: it was not right, or may be tried no more; the try stays counted.
    """
    with services.step() as session:
        now = services.clock.now()
        check = proofs.try_unlock(session, staff_id, pin, now=now)
        if check.ok:
            record(session, at=now, staff_id=staff_id, action="pin.unlocked", subject=f"staff:{staff_id}")
            tell_changed(session, staff_id, "Your PIN is unlocked.", now=now)
        elif check.locked_now:
            tell_locked(session, staff_id, now=now)
    check.demand()


def check_label(label: str) -> str:
    """The name of a passkey, tidy.

    Raises:
        BadInput: it is empty or too long.
    """
    label = " ".join(label.split())
    if not label or len(label) > passkeys.LABEL:
        sentence = f"Please give it a name of at most {passkeys.LABEL} characters, such as “My telephone”."
        raise BadInput(sentence, fields={"label": sentence})
    return label


@contextmanager
def _change(
    services: Services, staff_id: int, given: Given, *, told: str, action: str
) -> Iterator[tuple[Session, datetime]]:
    """The transaction of one change, after making sure that it is this very person."""
    with services.db.read() as session:
        before = standing(session, staff_id, now=services.clock.now())
        deciding = Role(session.get_one(Staff, staff_id).role) in roles.DECIDING
    if not deciding and not before.count:
        raise NotAllowed("Only who decides about posts has a PIN or a passkey.")
    if before.basis is Basis.PROOF:
        confirm(services, staff_id, given.proof, action=CHANGE)
    else:
        accounts.check_own_password(services, staff_id, given.password, field="password")
    with services.step() as session:
        now = services.clock.now()
        if standing(session, staff_id, now=now).basis is not before.basis:
            raise Conflict(_NOT_ANY_MORE)  # somebody was quicker in another tab
        if before.basis is Basis.RECOVERY:
            try:
                recovery.use(session, staff_id, now=now)
            except RecoveryRefused as refused:
                raise Conflict(str(refused)) from refused
        yield session, now
        record(session, at=now, staff_id=staff_id, action=action, subject=f"staff:{staff_id}")
        tell_changed(session, staff_id, told, now=now)


def _find(session: Session, staff_id: int, passkey_id: str) -> ApproverPasskey:
    passkey = session.get(ApproverPasskey, passkey_id)
    if passkey is None or passkey.person_id != staff_id or passkey.ended_at is not None:
        raise NotFound("There is no such passkey of yours.")
    return passkey


def _check_not_last(session: Session, staff_id: int, *, now: datetime) -> None:
    if standing(session, staff_id, now=now).count < 2:  # noqa: PLR2004 - this one and another
        raise Conflict(_LAST)
