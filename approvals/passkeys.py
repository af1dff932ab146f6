"""Passkeys: enrolled with user verification, asked for a random challenge, ended but never removed.

A passkey lives in a telephone, a computer or a security key and answers only at the site's own address, so nothing
that is typed or read can be given away. Like a PIN, `check` says what happened instead of raising, because what it
finds must stay written down: a passkey whose counter goes back may be a copy, and is ended.

    with database.begin() as session:
        checked = check(session, response, occasion, place=place, now=now)
    checked.demand()  # after the commit
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
from webauthn.helpers.exceptions import WebAuthnException

from approvals import challenges, ledger
from approvals.assertions import (
    canonical_assertion,
    check_assertion,
    from_base64url,
    key_hash,
    to_base64url,
)
from approvals.challenges import Occasion
from approvals.errors import PasskeyFault, PasskeyRefused, SignatureMissing
from approvals.proof_records import once, passkey_is_on_record
from approvals.proofs import ProvedView, prove_browser
from approvals.tables import ApprovalView, ApproverPasskey, Decision
from approvals.tokens import view

PASSKEY: Final = "passkey"
"""The method of proof that this module knows."""

VIEW: Final = "view"
"""The purpose of a challenge whose answer opens a decision page."""

MOST: Final = 10  # of one person at a time
LABEL: Final = 60
_LONGEST: Final = 20_000
_VERIFIED: Final = 0x04
_HEAD: Final = 37
_TRANSPORTS: Final = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal"})
_BROKEN: Final = (WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The address to which the passkeys of this site are bound, and the key that seals its challenges."""

    rp_id: str
    origin: str
    name: str
    key: bytes


@dataclass(frozen=True)
class PasskeyCheck:
    """What came of one answer of a passkey. `ended_now`: it was ended, because it may have been copied."""

    fault: PasskeyFault | None
    passkey_id: str = ""
    assertion: str = ""
    ended_now: bool = False

    @property
    def ok(self) -> bool:
        """Whether the answer was right."""
        return self.fault is None

    def demand(self) -> None:
        """Raise unless the answer was right. Call it after the commit.

        Raises:
            PasskeyRefused: it was not; carries what was wrong.
        """
        if self.fault is not None:
            raise PasskeyRefused(self.fault)


@dataclass(frozen=True)
class _Answer:
    """What the browser sent, taken apart and not yet believed."""

    credential_id: str
    challenge: bytes
    origin: str
    kind: str
    rp_id_hash: bytes
    flags: int
    counter: int
    response: dict[str, Any]


def standing(session: Session, person_id: int) -> Sequence[ApproverPasskey]:
    """The passkeys of this person that can be used, oldest first."""
    mine = select(ApproverPasskey).where(ApproverPasskey.person_id == person_id, ApproverPasskey.ended_at.is_(None))
    return session.scalars(mine.order_by(ApproverPasskey.added_at, ApproverPasskey.id)).all()


def had_one(session: Session, person_id: int) -> bool:
    """Whether this person ever had a passkey."""
    return session.scalar(select(ApproverPasskey.id).where(ApproverPasskey.person_id == person_id).limit(1)) is not None


def add(
    session: Session, response: str, occasion: Occasion, *, label: str, place: Place, now: datetime
) -> ApproverPasskey:
    """Enrol the passkey that the browser has just made. The caller has made sure that it is this very person.

    Raises:
        PasskeyRefused: it cannot be enrolled; nothing was written.
    """
    try:
        sent = _read_json(response)
        client = json.loads(from_base64url(sent["response"]["clientDataJSON"]))
        challenge, origin = from_base64url(client["challenge"]), client["origin"]
        told = [way for way in sent["response"].get("transports") or () if way in _TRANSPORTS]
    except _BROKEN:
        raise PasskeyRefused(PasskeyFault.UNREADABLE) from None
    if origin != place.origin or client.get("crossOrigin") not in (None, False):
        raise PasskeyRefused(PasskeyFault.ELSEWHERE)
    if not challenges.stands(place.key, challenge, occasion, now=now):
        raise PasskeyRefused(PasskeyFault.STALE)
    try:
        made = verify_registration_response(
            credential=sent,
            expected_challenge=challenge,
            expected_rp_id=place.rp_id,
            expected_origin=place.origin,
            require_user_verification=False,  # asked below, because it has a sentence of its own
        )
    except _BROKEN:
        raise PasskeyRefused(PasskeyFault.UNSIGNED) from None
    if not made.user_verified:
        raise PasskeyRefused(PasskeyFault.UNVERIFIED)
    if not challenges.spend(session, challenge, occasion, now=now):
        raise PasskeyRefused(PasskeyFault.STALE)
    credential_id = to_base64url(made.credential_id)
    known = select(ApproverPasskey.id).where(ApproverPasskey.credential_id == credential_id)
    if session.scalar(known) is not None or len(standing(session, occasion.person_id)) >= MOST:
        raise PasskeyRefused(PasskeyFault.TAKEN)
    passkey = ApproverPasskey(
        id=uuid4().hex,
        person_id=occasion.person_id,
        credential_id=credential_id,
        public_key=to_base64url(made.credential_public_key),
        sign_count=made.sign_count,
        label=label[:LABEL],
        transports=told,
        added_at=now,
    )
    session.add(passkey)
    session.flush()
    body = {"person": passkey.person_id, "passkey": passkey.id, "key": key_hash(public_bytes(passkey))}
    ledger.append(session, at=now, kind="passkey.added", body=body)
    return passkey


def check(session: Session, response: str, occasion: Occasion, *, place: Place, now: datetime) -> PasskeyCheck:
    """Look at one answer to a random challenge. Commit, then `demand`."""

    def asked(challenge: bytes) -> bool:
        return challenges.stands(place.key, challenge, occasion, now=now) and challenges.spend(
            session, challenge, occasion, now=now
        )

    return _check(session, response, occasion.person_id, asked, place=place, now=now)


def check_signed(
    session: Session, response: str, *, person_id: int, digest: str, place: Place, now: datetime
) -> PasskeyCheck:
    """Look at what a passkey signed for an approval of this digest. When right, `assertion` is what is kept of it."""
    return _check(session, response, person_id, lambda given: given == bytes.fromhex(digest), place=place, now=now)


def check_signature(session: Session, person_id: int, *, digest: str, assertion: str | None) -> str:
    """Refuse what is not a signature over this digest by a passkey that this person has now; returns it to be kept.

    `check_signed` has looked at the browser's answer before. This is asked again in the transaction that decides, so
    that nothing can come in between.

    Raises:
        SignatureMissing: there is none.
        PasskeyRefused: it is not right, or stands under another decision already.
    """
    if not assertion:
        raise SignatureMissing
    if not check_assertion(assertion, digest):
        raise PasskeyRefused(PasskeyFault.UNSIGNED)
    kept = json.loads(assertion)
    mine = {passkey.credential_id: passkey for passkey in standing(session, person_id)}
    passkey = mine.get(kept["credential_id"])
    if passkey is None or not _is_on_record(session, passkey):
        raise PasskeyRefused(PasskeyFault.UNKNOWN)
    if b64decode(kept["public_key_spki"]) != public_bytes(passkey) or kept["public_key_cose"] != passkey.public_key:
        raise PasskeyRefused(PasskeyFault.UNSIGNED)
    signed = session.scalars(
        select(Decision.assertion).where(Decision.digest == digest, Decision.assertion.is_not(None))
    )
    if any(once(json.loads(earlier or "{}")) == once(kept) for earlier in signed):
        raise PasskeyRefused(PasskeyFault.STALE)
    return assertion


def prove_view(
    session: Session, view_secret: str, response: str, *, place: Place, now: datetime
) -> ProvedView | PasskeyCheck:
    """Look at the answer of the person this link belongs to; when right, this browser is proved for ten minutes.

    Commit, then `demand`.

    Raises:
        LinkUnknown, LinkExpired, LinkSpent: the link opens nothing.
    """
    seen = view(session, view_secret, now=now)
    occasion = Occasion(person_id=seen.person_id, purpose=VIEW, subject=seen.request.id)
    checked = check(session, response, occasion, place=place, now=now)
    return prove_browser(session, view_secret, method=PASSKEY, now=now) if checked.ok else checked


def end(session: Session, passkey: ApproverPasskey, *, by_person: int | None, now: datetime) -> None:
    """End a passkey and every proof given with one. Decisions that rest on it keep standing: it was right then."""
    ledger.hold(session)
    if passkey.ended_at is not None:
        return
    passkey.ended_at, passkey.ended_by = now, by_person
    session.execute(
        delete(ApprovalView).where(ApprovalView.person_id == passkey.person_id, ApprovalView.proof_method == PASSKEY)
    )
    body = {"person": passkey.person_id, "passkey": passkey.id, "by": by_person}
    ledger.append(session, at=now, kind="passkey.ended", body=body)


def _check(
    session: Session,
    response: str,
    person_id: int,
    asked: Callable[[bytes], bool],
    *,
    place: Place,
    now: datetime,
) -> PasskeyCheck:
    try:
        answer = _take_apart(response)
    except _BROKEN:
        return PasskeyCheck(PasskeyFault.UNREADABLE)
    ledger.hold(session)
    passkey = session.scalars(
        select(ApproverPasskey)
        .where(ApproverPasskey.credential_id == answer.credential_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if passkey is None or passkey.person_id != person_id or passkey.ended_at is not None:
        return PasskeyCheck(PasskeyFault.UNKNOWN)
    if not _is_on_record(session, passkey):
        return PasskeyCheck(PasskeyFault.UNKNOWN)
    fault = _fault(answer, passkey, asked, place=place)
    if fault is not None:
        return PasskeyCheck(fault, passkey.id)
    if (answer.counter or passkey.sign_count) and answer.counter <= passkey.sign_count:
        end(session, passkey, by_person=None, now=now)
        return PasskeyCheck(PasskeyFault.COPIED, passkey.id, ended_now=True)
    session.execute(
        update(ApproverPasskey)
        .where(ApproverPasskey.id == passkey.id)
        .values(sign_count=answer.counter, last_used_at=now)
        .execution_options(synchronize_session=False)
    )
    return PasskeyCheck(None, passkey.id, _kept(answer, passkey, place))


def _fault(
    answer: _Answer, passkey: ApproverPasskey, asked: Callable[[bytes], bool], *, place: Place
) -> PasskeyFault | None:
    """What is wrong with an answer, the plainest first. The challenge is spent only by an answer that is signed."""
    if answer.kind != "webauthn.get":
        return PasskeyFault.UNREADABLE
    if answer.origin != place.origin or answer.rp_id_hash != hashlib.sha256(place.rp_id.encode()).digest():
        return PasskeyFault.ELSEWHERE
    try:
        verify_authentication_response(
            credential=answer.response,
            expected_challenge=answer.challenge,  # whether it is the one that was asked, `asked` says
            expected_rp_id=place.rp_id,
            expected_origin=place.origin,
            credential_public_key=from_base64url(passkey.public_key),
            credential_current_sign_count=0,  # asked by the caller: a counter that goes back ends the passkey
        )
    except _BROKEN:
        return PasskeyFault.UNSIGNED
    if not answer.flags & _VERIFIED:
        return PasskeyFault.UNVERIFIED
    return None if asked(answer.challenge) else PasskeyFault.STALE


def _take_apart(response: str) -> _Answer:
    sent = _read_json(response)
    inner = sent["response"]
    client = json.loads(from_base64url(inner["clientDataJSON"]))
    data = from_base64url(inner["authenticatorData"])
    from_base64url(inner["signature"])
    if len(data) < _HEAD or not isinstance(sent["id"], str) or client.get("crossOrigin") not in (None, False):
        raise ValueError("not an answer of a passkey to this page")
    return _Answer(
        credential_id=to_base64url(from_base64url(sent["id"])),
        challenge=from_base64url(client["challenge"]),
        origin=client["origin"],
        kind=client["type"],
        rp_id_hash=data[:32],
        flags=data[32],
        counter=int.from_bytes(data[33:37], "big"),
        response=sent,
    )


def _read_json(response: str) -> dict[str, Any]:
    if len(response) > _LONGEST:
        raise ValueError("longer than any passkey answers")
    sent = json.loads(response)
    if not isinstance(sent, dict) or not isinstance(sent.get("response"), dict):
        raise TypeError("not an answer of a passkey")
    return sent


def _kept(answer: _Answer, passkey: ApproverPasskey, place: Place) -> str:
    inner = answer.response["response"]
    return canonical_assertion(
        {
            "credential_id": passkey.credential_id,
            "public_key_cose": passkey.public_key,
            "public_key_spki": b64encode(public_bytes(passkey)).decode(),
            "rp_id": place.rp_id,
            "authenticator_data": inner["authenticatorData"],
            "client_data": inner["clientDataJSON"],
            "signature": inner["signature"],
        }
    )


def _is_on_record(session: Session, passkey: ApproverPasskey) -> bool:
    """Whether the ledger holds this row as it is: who can write into the table is not yet the headteacher."""
    try:
        key = key_hash(public_bytes(passkey))
    except _BROKEN:
        return False
    return passkey_is_on_record(session, passkey, key=key)


def public_bytes(passkey: ApproverPasskey) -> bytes:
    """The public key as everybody but a browser reads it."""
    key = decoded_public_key_to_cryptography(decode_credential_public_key(from_base64url(passkey.public_key)))
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
