"""Locks a channel's tokens away for the processes that may publish.

Whoever holds the public half can lock and never open again: the website takes a token, seals it and forgets it. A
fresh key agreement for each text (X25519, HKDF, AES-256-GCM) is bound to the place it is stored in, so that a sealed
token moved to another row does not open there.
"""

import base64
import binascii
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gatekeeper.errors import SettingsError

_VERSION: Final = "s1"
_NONCE: Final = b"\x00" * 12  # every text has a key of its own, so the nonce never meets the same key twice


def make_keypair() -> tuple[str, str]:
    """A new (public, private) pair as text."""
    private = X25519PrivateKey.generate()
    return _text(private.public_key().public_bytes_raw()), _text(private.private_bytes_raw())


def account_context(account_id: int) -> str:
    """What an account's sealed keys are bound to, so that they open in no other row."""
    return f"channel_account:{account_id}:sealed"


def seal(public_key: str, plaintext: bytes, *, context: str) -> str:
    """Lock `plaintext` to the key and to the place it is stored in, such as "channel_account:7:sealed".

    Raises:
        SettingsError: this is no public key.
    """
    receiver = X25519PublicKey.from_public_bytes(_bytes(public_key, "GATEKEEPER_SEAL_PUBLIC"))
    once = X25519PrivateKey.generate()
    share = once.public_key().public_bytes_raw()
    key = _key(once.exchange(receiver), share=share, receiver=receiver.public_bytes_raw())
    return f"{_VERSION}.{_text(share)}.{_text(AESGCM(key).encrypt(_NONCE, plaintext, context.encode()))}"


def unseal(private_keys: str, sealed: str, *, context: str) -> bytes:
    """Open what was sealed for one of these keys (while they are changed there are two) and for this place.

    Raises:
        SettingsError: another key, another place, or not as it was sealed. What was sealed is not repeated.
    """
    keys = [
        X25519PrivateKey.from_private_bytes(_bytes(key, "GATEKEEPER_SEAL_KEY")) for key in private_keys.split() or [""]
    ]
    version, _, rest = sealed.partition(".")
    share, _, locked = rest.partition(".")
    refusal = SettingsError("The stored keys of a channel cannot be opened. An administrator must connect it again.")
    if version != _VERSION:
        raise refusal
    for private in keys:
        try:
            sender = base64.urlsafe_b64decode(share)
            agreed = private.exchange(X25519PublicKey.from_public_bytes(sender))
            key = _key(agreed, share=sender, receiver=private.public_key().public_bytes_raw())
            return AESGCM(key).decrypt(_NONCE, base64.urlsafe_b64decode(locked), context.encode())
        except (ValueError, InvalidTag, binascii.Error):
            continue
    raise refusal


def _key(agreed: bytes, *, share: bytes, receiver: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length=32, salt=share + receiver, info=b"gatekeeper channel tokens").derive(agreed)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _bytes(key: str, setting: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(key)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != 32:  # noqa: PLR2004 - the size of every X25519 key
        raise SettingsError(f"{setting} is missing or is no key.")
    return raw
