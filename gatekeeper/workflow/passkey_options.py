"""What a browser is told when it shall make a passkey or ask one. Asking for it changes nothing."""

import hashlib
import json
from typing import Any, Final

from sqlalchemy.orm import Session
from webauthn import generate_authentication_options, generate_registration_options, options_to_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from approvals import challenges, passkeys
from approvals.assertions import from_base64url
from approvals.challenges import Occasion
from gatekeeper.people.staff import Staff
from gatekeeper.workflow.passkey_place import place_of
from gatekeeper.workflow.second_proofs import enrolment
from gatekeeper.workflow.services import Services

_PATIENCE: Final = 120_000  # milliseconds that the browser's dialog stays open


def to_make_one(services: Services, session: Session, person: Staff) -> dict[str, Any]:
    """For `navigator.credentials.create`. It has to check who it is; those that are there already are left out."""
    place = place_of(services, session)
    options = generate_registration_options(
        rp_id=place.rp_id,
        rp_name=place.name,
        user_name=person.email,
        user_display_name=person.name,
        user_id=hashlib.sha256(f"gatekeeper person {person.id}".encode()).digest(),  # says nothing about anybody
        challenge=challenges.give(place.key, enrolment(person.id), now=services.clock.now()),
        timeout=_PATIENCE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_known(session, person.id),
    )
    return _plain(options_to_json(options))


def to_ask_one(services: Services, session: Session, occasion: Occasion) -> dict[str, Any]:
    """For `navigator.credentials.get`, with a fresh random challenge."""
    challenge = challenges.give(place_of(services, session).key, occasion, now=services.clock.now())
    return _asking(services, session, occasion.person_id, challenge)


def to_sign(services: Services, session: Session, person_id: int, digest: str) -> dict[str, Any]:
    """For `navigator.credentials.get`, where the challenge is the digest of the version itself."""
    return _asking(services, session, person_id, bytes.fromhex(digest))


def _asking(services: Services, session: Session, person_id: int, challenge: bytes) -> dict[str, Any]:
    options = generate_authentication_options(
        rp_id=place_of(services, session).rp_id,
        challenge=challenge,
        timeout=_PATIENCE,
        allow_credentials=_known(session, person_id),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _plain(options_to_json(options))


def _known(session: Session, person_id: int) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=from_base64url(passkey.credential_id),
            transports=[
                AuthenticatorTransport(way) for way in passkey.transports if way in set(AuthenticatorTransport)
            ],
        )
        for passkey in passkeys.standing(session, person_id)
    ]


def _plain(options: str) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(options)
    return plain
