"""The second proof by PIN: six digits that the person chose, five tries, then locked.

The other one is in `passkeys`.

A try is counted before the PIN is looked at, by one conditional statement in the database, so that fifty guesses at
once are still five. That is why `check_pin` and `prove_view` return what happened instead of raising: the caller
commits first and only then calls `demand`. A refusal that rolled the count back would give endless tries.

    with database.begin() as session:
        proof = prove_view(session, view_secret, pin, now=now)
    proof.demand()  # after the commit
"""

import re
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from approvals import ledger
from approvals.errors import PinUnusable, ProofLocked, ProofMissing, ProofWrong
from approvals.proof_records import NONCE, pin_is_on_record, pin_name
from approvals.proof_records import view_secret as sealed_secret
from approvals.tables import ApprovalView, ApproverPin
from approvals.tokens import locate, secret_hash, view

PIN = "pin"
"""The method of proof that this module knows."""

TRIES = 5
PROOF_LASTS = timedelta(minutes=10)

_SHAPE = re.compile(r"[0-9]{6}")
_FAVOURITES = {"112233", "223344", "123321", "654456", "159753", "147258", "258369", "147369", "102030", "314159"}
_RUNS = "01234567890123456789"
_HASHER = PasswordHasher()
_AT_ONCE = threading.BoundedSemaphore(2)  # each takes 64 MiB and a core for a moment: a flood must not take them all


class PinOutcome(StrEnum):
    """What came of one try."""

    RIGHT = "right"
    WRONG = "wrong"
    MALFORMED = "malformed"  # not six digits: no PIN could be meant, so it costs no try
    LOCKED = "locked"
    UNSET = "unset"


@dataclass(frozen=True)
class PinCheck:
    """What came of one try. `locked_now` is true for the one try that closed the lock: the person should be told."""

    outcome: PinOutcome
    tries_left: int = 0
    locked_now: bool = False

    @property
    def ok(self) -> bool:
        """Whether the PIN was right."""
        return self.outcome is PinOutcome.RIGHT

    def demand(self) -> None:
        """Raise unless the PIN was right. Call it after the commit.

        Raises:
            ProofWrong: it was not; carries the tries left.
            ProofLocked: it takes no more tries.
            ProofMissing: this person has no PIN yet.
        """
        if self.outcome is PinOutcome.UNSET:
            raise ProofMissing("You have no PIN here. Use a passkey, or sign in and choose a PIN.")
        if self.outcome is PinOutcome.LOCKED:
            raise ProofLocked
        if not self.ok:
            raise ProofWrong(self.tries_left, malformed=self.outcome is PinOutcome.MALFORMED)


@dataclass(frozen=True)
class ProvedView(PinCheck):
    """The try, and when it was right the new secret that this browser holds from now on instead of its old one."""

    view_secret: str | None = None
    proved_until: datetime | None = None


def set_pin(session: Session, person_id: int, pin: str, *, now: datetime) -> None:
    """Give this person the PIN they chose; an older one, its lock and every proof given with it end.

    The caller has made sure that it is this very person, by something other than the PIN.

    Raises:
        PinUnusable: it is not six digits, or one of the first that anybody would try.
    """
    pin = _without_spaces(pin)
    check_usable(pin)
    with _AT_ONCE:
        pin_hash = _HASHER.hash(pin)
    ledger.hold(session)
    row = session.get(ApproverPin, person_id, populate_existing=True)
    if row is None:
        row = ApproverPin(person_id=person_id)
        session.add(row)
    row.pin_hash, row.failures, row.locked_at, row.set_at = pin_hash, 0, None, now
    row.unlock_failures = 0
    session.flush()
    session.execute(delete(ApprovalView).where(ApprovalView.person_id == person_id))
    ledger.append(session, at=now, kind="pin.set", body={"person": person_id, "hash": pin_name(pin_hash)})


def check_usable(pin: str) -> None:
    """Refuse a PIN that cannot be chosen.

    Raises:
        PinUnusable: it is not six digits, or one of the first that anybody would try.
    """
    pin = _without_spaces(pin)
    if not _SHAPE.fullmatch(pin):
        raise PinUnusable("A PIN has exactly six digits.")
    repeats = any(pin == pin[:size] * (6 // size) for size in (1, 2, 3))
    if repeats or pin in _FAVOURITES or pin in _RUNS or pin in _RUNS[::-1]:
        raise PinUnusable("That PIN is one of the first anybody would try. Please choose one without a pattern.")


def check_pin(session: Session, person_id: int, pin: str, *, now: datetime) -> PinCheck:
    """Try a PIN once. Count first, then look; commit, then `demand`."""
    pin = _without_spaces(pin)
    if not _SHAPE.fullmatch(pin):
        return _uncounted(session, person_id)
    ledger.hold(session)  # before the row, as everywhere in this room
    counted = session.execute(
        update(ApproverPin)
        .where(ApproverPin.person_id == person_id, ApproverPin.locked_at.is_(None), ApproverPin.failures < TRIES)
        .values(failures=ApproverPin.failures + 1)
        .returning(ApproverPin.failures, ApproverPin.pin_hash)
        .execution_options(synchronize_session=False)
    ).first()
    if counted is None:
        return _uncounted(session, person_id)
    if _verified(counted.pin_hash, pin) and pin_is_on_record(session, person_id, counted.pin_hash):
        _write(session, person_id, failures=0)
        return PinCheck(PinOutcome.RIGHT, TRIES)
    if counted.failures < TRIES:
        return PinCheck(PinOutcome.WRONG, TRIES - counted.failures)
    _write(session, person_id, failures=TRIES, locked_at=now)
    ledger.append(session, at=now, kind="pin.locked", body={"person": person_id})
    return PinCheck(PinOutcome.LOCKED, locked_now=True)


def try_unlock(session: Session, person_id: int, pin: str, *, now: datetime) -> PinCheck:
    """Try a locked PIN behind the password, up to five times; the right one unlocks it. Commit, then `demand`.

    These tries are counted apart from those on links, where everybody who reads the person's e-mails can lock the PIN.
    """
    pin = _without_spaces(pin)
    ledger.hold(session)
    mine = select(ApproverPin).where(ApproverPin.person_id == person_id).with_for_update()
    row = session.scalars(mine.execution_options(populate_existing=True)).one_or_none()
    if row is None or (row.locked_at is None and row.failures < TRIES) or row.unlock_failures >= TRIES:
        outcome = _uncounted(session, person_id).outcome  # no PIN, nothing to unlock, or no tries left
        return PinCheck(PinOutcome.RIGHT if outcome is PinOutcome.MALFORMED else outcome)
    if not _SHAPE.fullmatch(pin):
        return PinCheck(PinOutcome.MALFORMED, TRIES - row.unlock_failures)
    row.unlock_failures += 1
    session.flush()
    if not (_verified(row.pin_hash, pin) and pin_is_on_record(session, person_id, row.pin_hash)):
        if row.unlock_failures < TRIES:
            return PinCheck(PinOutcome.WRONG, TRIES - row.unlock_failures)
        ledger.append(session, at=now, kind="pin.unlock_failed", body={"person": person_id})
        return PinCheck(PinOutcome.LOCKED, locked_now=True)
    row.failures, row.locked_at, row.unlock_failures = 0, None, 0
    ledger.append(session, at=now, kind="pin.unlocked", body={"person": person_id, "by": person_id})
    return PinCheck(PinOutcome.RIGHT, TRIES)


def remove_pin(session: Session, person_id: int, *, by_person: int, now: datetime) -> bool:
    """Forget this person's PIN and end every proof given with it; says whether there was one."""
    ledger.hold(session)
    row = session.get(ApproverPin, person_id, populate_existing=True)
    if row is None:
        return False
    session.delete(row)
    session.execute(delete(ApprovalView).where(ApprovalView.person_id == person_id, ApprovalView.proof_method == PIN))
    ledger.append(session, at=now, kind="pin.removed", body={"person": person_id, "by": by_person})
    return True


def has_pin(session: Session, person_id: int) -> bool:
    """Whether this person has chosen a PIN."""
    return session.scalar(select(ApproverPin.person_id).where(ApproverPin.person_id == person_id)) is not None


@dataclass(frozen=True)
class PinState:
    """Whether there is a PIN, whether it is locked, and how often it may then be tried behind the password."""

    is_set: bool
    is_locked: bool = False
    tries_behind_password: int = 0


def pin_state(session: Session, person_id: int) -> PinState:
    """How things stand with this person's PIN."""
    row = session.get(ApproverPin, person_id, populate_existing=True)
    if row is None:
        return PinState(is_set=False)
    locked = row.locked_at is not None or row.failures >= TRIES
    return PinState(is_set=True, is_locked=locked, tries_behind_password=TRIES - row.unlock_failures)


def prove_view(session: Session, view_secret: str, pin: str, *, now: datetime) -> ProvedView:
    """Try the PIN of the person this link belongs to; when right, this browser is proved for ten minutes.

    The proof counts for this request and this browser only: the browser gets a fresh secret, and the secret that
    every opener of the link can hold stays unproved. Commit, then `demand`.

    Raises:
        LinkUnknown, LinkExpired, LinkSpent: the link opens nothing; no try is counted.
    """
    seen = view(session, view_secret, now=now)
    check = check_pin(session, seen.person_id, pin, now=now)
    if not check.ok:
        return ProvedView(check.outcome, check.tries_left, check.locked_now)
    return prove_browser(session, view_secret, method=PIN, now=now)


def prove_browser(session: Session, view_secret: str, *, method: str, now: datetime) -> ProvedView:
    """Give this browser a proved secret of its own. The caller has just seen the proof of the link's person."""
    holding = locate(session, view_secret)
    if holding.proved is not None:
        session.delete(holding.proved)  # this browser's earlier proof ends with the secret that carried it
    until = now + PROOF_LASTS
    row = ApprovalView(
        token_id=holding.token.id,
        request_id=holding.token.request_id,
        person_id=holding.token.person_id,
        created_at=now,
        expires_at=holding.token.expires_at,
        proved_at=now,
        proved_until=until,
        proof_method=method,
    )
    fresh = sealed_secret(session, row, nonce=secrets.token_bytes(NONCE))
    row.id_hash = secret_hash(fresh)
    session.add(row)
    session.flush()
    return ProvedView(PinOutcome.RIGHT, TRIES, view_secret=fresh, proved_until=until)


def _without_spaces(pin: str) -> str:
    return re.sub(r"\s", "", pin)


def _uncounted(session: Session, person_id: int) -> PinCheck:
    """Say how things stand when no try was taken."""
    row = session.execute(
        select(ApproverPin.failures, ApproverPin.locked_at).where(ApproverPin.person_id == person_id)
    ).first()
    if row is None:
        return PinCheck(PinOutcome.UNSET)
    if row.locked_at is not None or row.failures >= TRIES:
        return PinCheck(PinOutcome.LOCKED)
    return PinCheck(PinOutcome.MALFORMED, TRIES - row.failures)


def _verified(pin_hash: str, pin: str) -> bool:
    with _AT_ONCE:
        try:
            return _HASHER.verify(pin_hash, pin)
        except (VerificationError, InvalidHashError):  # a spoilt hash lets nobody in
            return False


def _write(session: Session, person_id: int, *, failures: int, locked_at: datetime | None = None) -> None:
    session.execute(
        update(ApproverPin)
        .where(ApproverPin.person_id == person_id)
        .values(failures=failures, locked_at=locked_at)
        .execution_options(synchronize_session=False)
    )
