"""Whether a passkey really signed a version's digest: checkable years later, with `cryptography` and nothing else.

A passkey signs the bytes "authenticator data, then SHA-256 of the client data". The client data is JSON that the
browser wrote; it names the challenge. For an approval the challenge is the 32 bytes of the digest itself, so the
signature exists only where its owner pressed Approve over exactly that content.

The canonical JSON kept with a decision holds everything a checker needs, all of it text:

    credential_id       base64url: which passkey
    public_key_cose     base64url: its public key as the passkey gave it (COSE)
    public_key_spki     base64: the same key as everybody else reads it (SubjectPublicKeyInfo, DER)
    rp_id               the address it is bound to, such as posts.school.example
    authenticator_data, client_data, signature    base64url
"""

import hashlib
import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

FIELDS: Final = (
    "authenticator_data",
    "client_data",
    "credential_id",
    "public_key_cose",
    "public_key_spki",
    "rp_id",
    "signature",
)
_PRESENT, _VERIFIED = 0x01, 0x04  # flags: somebody touched it; it checked who (fingerprint, face, its own PIN)
_HEAD: Final = 37  # bytes of authenticator data that are always there: 32 of the address, 1 of flags, 4 of counter


def check_assertion(assertion_json: str, digest: str) -> bool:
    """Whether this is a passkey's signature, by a person it had checked, over exactly this digest (64 hex digits)."""
    try:
        kept = json.loads(assertion_json)
        if assertion_json != canonical_assertion(kept):
            return False
        client, authenticator = from_base64url(kept["client_data"]), from_base64url(kept["authenticator_data"])
        said = json.loads(client)
        return (
            said["type"] == "webauthn.get"
            and said.get("crossOrigin") in (None, False)
            and from_base64url(said["challenge"]) == bytes.fromhex(digest)
            and len(digest) == 64  # noqa: PLR2004 - SHA-256 in hexadecimal
            and len(authenticator) >= _HEAD
            and authenticator[:32] == hashlib.sha256(kept["rp_id"].encode()).digest()
            and authenticator[32] & (_PRESENT | _VERIFIED) == _PRESENT | _VERIFIED
            and _is_signed(
                b64decode(kept["public_key_spki"], validate=True),
                from_base64url(kept["signature"]),
                authenticator + hashlib.sha256(client).digest(),
            )
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False  # it is not even shaped like one


def canonical_assertion(parts: dict[str, str]) -> str:
    """The one way the parts are spelt.

    Raises:
        ValueError: a part is missing, or there is one that does not belong.
    """
    if sorted(parts) != sorted(FIELDS) or not all(isinstance(part, str) for part in parts.values()):
        raise ValueError("an assertion has exactly the parts " + ", ".join(FIELDS))
    return json.dumps(parts, sort_keys=True, separators=(",", ":"))


def assertion_hash(assertion_json: str) -> str:
    """The name under which the ledger knows what was signed."""
    return hashlib.sha256(assertion_json.encode()).hexdigest()


def key_hash(spki: bytes) -> str:
    """The name under which the ledger knows a passkey's public key."""
    return hashlib.sha256(spki).hexdigest()


def from_base64url(text: str) -> bytes:
    """Read base64url without padding, and nothing that could be spelt in two ways.

    Raises:
        ValueError: it is not that.
    """
    data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if to_base64url(data) != text:
        raise ValueError("not base64url")
    return data


def to_base64url(data: bytes) -> str:
    """Base64url without padding, as browsers write it."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def _is_signed(spki: bytes, signature: bytes, data: bytes) -> bool:
    try:
        key = load_der_public_key(spki)
        if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
            key.verify(signature, data, ECDSA(SHA256()))
        elif isinstance(key, RSAPublicKey):
            key.verify(signature, data, PKCS1v15(), SHA256())
        elif isinstance(key, Ed25519PublicKey):
            key.verify(signature, data)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
