"""Checks what a passkey signed for an approval: its challenge is the digest, and the ledger knows the key."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from approvals.bundle_ledger import CAN_SIGN, Ledger
from approvals.bundle_read import Report

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key
except ImportError:
    pass  # CAN_SIGN says so

_BY_ITS_OWNER = 0x01 | 0x04  # somebody touched it, and it had checked who


def check_passkey(decision: Any, ledger: Ledger, report: Report) -> None:
    """The assertion is the one the ledger holds, its challenge is the digest, and the passkey was enrolled before."""
    assertion, facts = decision["assertion"], decision["decision"]
    if assertion is None:
        if facts["assertion"] is not None:
            report.wrong("What the passkey signed was taken out of decision.json; the ledger says that there was some.")
        else:
            report.note(f"No passkey signed this decision. Who decided was proved by “{facts['proof']}”.")
        return
    if hashlib.sha256(assertion.encode()).hexdigest() != facts["assertion"]:
        report.wrong("What the passkey signed is not what the ledger holds: it was replaced.")
        return
    parts = json.loads(assertion)
    client, data = unpadded(parts["client_data"]), unpadded(parts["authenticator_data"])
    said, key = json.loads(client), base64.b64decode(parts["public_key_spki"], validate=True)
    if said["type"] != "webauthn.get" or unpadded(said["challenge"]).hex() != decision["digest"]:
        report.wrong("The passkey signed something else than the digest of this content.")
        return
    if data[:32] != hashlib.sha256(parts["rp_id"].encode()).digest() or len(data) < 37:  # noqa: PLR2004 - WebAuthn 6.1
        report.wrong("The passkey answered at another address than the one the bundle names.")
        return
    if data[32] & _BY_ITS_OWNER != _BY_ITS_OWNER:
        report.wrong("The passkey did not check who was using it.")
        return
    if not CAN_SIGN:
        report.unchecked("The passkey's signature.")
    elif _signed(key, unpadded(parts["signature"]), data + hashlib.sha256(client).digest()):
        report.ok(f"A passkey bound to {parts['rp_id']} signed exactly this digest.")
    else:
        report.wrong("The passkey's signature over the digest is not true.")
    _check_enrolled(hashlib.sha256(key).hexdigest(), facts, decision["ledger_seq"], ledger, report)


def _check_enrolled(key: str, facts: Any, seq: int, ledger: Ledger, report: Report) -> None:
    added = [
        (at, body)
        for at, body in ledger.of_kind("passkey.added")
        if body["key"] == key and body["person"] == facts["approver"] and at < seq
    ]
    if not added:
        report.wrong("The ledger knows no passkey of this person with that key, enrolled before the decision.")
        return
    ended = [at for at, body in ledger.of_kind("passkey.ended") if body["passkey"] == added[-1][1]["passkey"]]
    if any(added[-1][0] < at < seq for at in ended):
        report.wrong("The passkey had been ended before the decision.")
    else:
        report.ok(f"That passkey was enrolled by person {facts['approver']} in ledger entry {added[-1][0]}.")


def _signed(spki: bytes, signature: bytes, data: bytes) -> bool:
    try:
        key = load_der_public_key(spki)
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            key.verify(signature, data, ec.ECDSA(SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), SHA256())
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def unpadded(text: str) -> bytes:
    """Read base64url as browsers write it."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
