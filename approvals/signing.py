"""Signs the ledger: whoever can write into the database, but does not hold this key, can add no entry that counts.

The key stands outside the database and its backups. What is signed is an entry's hash, which seals the whole chain
before it.
"""

import hashlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ENTRY = b"gatekeeper/ledger-signature/1\x00"
_KEY_CHANGE = b"gatekeeper/ledger-key/1\x00"
_BUNDLE = b"gatekeeper/bundle/1\x00"
_PROOF = b"gatekeeper/proof/1\x00"
_KEY_BYTES = 32


class Signer(Protocol):
    """Holds the ledger's key."""

    @property
    def key_id(self) -> str:
        """What the key is called: sixteen letters drawn from its public half."""

    @property
    def public(self) -> str:
        """The public half, base64."""

    def sign(self, entry_hash: str) -> str:
        """The signature over one entry's hash, base64."""

    def has_signed(self, entry_hash: str, signature: str | None) -> bool:
        """Whether this key put its name to the entry with this hash."""

    def accept(self, prev_hash: str) -> str:
        """This key's own word, base64, that it follows after the entry with this hash."""

    def seal(self, manifest_hash: str) -> str:
        """The signature, base64, over the list of files of an evidence bundle."""

    def vouch(self, proof_hash: str) -> str:
        """The signature, base64, over what was seen when somebody gave their second proof. It leaves no process."""


@dataclass(frozen=True)
class Ed25519Signer:
    """A signer with the key in memory. Printing it shows the public half's name alone."""

    _key: Ed25519PrivateKey

    @classmethod
    def read(cls, text: str) -> Self:
        """The signer of a stored key.

        Raises:
            ValueError: this is no such key.
        """
        try:
            raw = b64decode(text.strip(), validate=True)
        except ValueError as err:
            raise ValueError("A ledger key is 32 bytes in base64.") from err
        if len(raw) != _KEY_BYTES:
            raise ValueError("A ledger key is 32 bytes in base64.")
        return cls(Ed25519PrivateKey.from_private_bytes(raw))

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.key_id})"

    @cached_property
    def key_id(self) -> str:
        """What the key is called."""
        return key_id_of(self.public)

    @cached_property
    def public(self) -> str:
        """The public half, base64."""
        return b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, entry_hash: str) -> str:
        """The signature over one entry's hash."""
        return _signed(self._key, _ENTRY + bytes.fromhex(entry_hash))

    def has_signed(self, entry_hash: str, signature: str | None) -> bool:
        """Whether this key put its name to the entry with this hash.

        An Ed25519 key signs the same words alike each time, so whoever holds it can compare: three times as quick as
        verifying, which happens only where the two differ.
        """
        if signature is None:
            return False
        try:
            return self.sign(entry_hash) == signature or is_signed(entry_hash, signature, public=self.public)
        except ValueError:  # no hash
            return False

    def accept(self, prev_hash: str) -> str:
        """This key's own word that it follows after the entry with this hash."""
        return b64encode(self._key.sign(_KEY_CHANGE + bytes.fromhex(prev_hash))).decode()

    def seal(self, manifest_hash: str) -> str:
        """The signature over the list of files of an evidence bundle."""
        return b64encode(self._key.sign(_BUNDLE + bytes.fromhex(manifest_hash))).decode()

    def vouch(self, proof_hash: str) -> str:
        """The signature over what was seen when somebody gave their second proof."""
        return b64encode(self._key.sign(_PROOF + bytes.fromhex(proof_hash))).decode()


@lru_cache(maxsize=256)
def _signed(key: Ed25519PrivateKey, words: bytes) -> str:
    """The same each time, and asked for again when the next entry is written or the last one is read."""
    return b64encode(key.sign(words)).decode()


def make_key() -> str:
    """A fresh key, as it is stored."""
    return b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()


def key_id_of(public: str) -> str:
    """What a key is called: the first sixteen hex digits of SHA-256 of its public half."""
    return hashlib.sha256(b64decode(public)).hexdigest()[:16]


def is_public_key(text: str) -> bool:
    """Whether this is a key's public half."""
    try:
        return len(b64decode(text, validate=True)) == _KEY_BYTES
    except ValueError:
        return False


def is_signed(entry_hash: str, signature: str, *, public: str) -> bool:
    """Whether this key signed the entry with this hash."""
    return _verified(_ENTRY, entry_hash, signature, public)


def is_accepted(prev_hash: str, signature: str, *, public: str) -> bool:
    """Whether this key itself said that it follows after the entry with this hash."""
    return _verified(_KEY_CHANGE, prev_hash, signature, public)


def _verified(domain: bytes, hashed: str, signature: str, public: str) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(b64decode(public, validate=True))
        raw = b64decode(signature, validate=True)
        if b64encode(raw).decode() != signature:
            return False  # another spelling of the same bytes was not written by us
        key.verify(raw, domain + bytes.fromhex(hashed))
    except (InvalidSignature, ValueError):  # also what is no base64, no hex or no key
        return False
    return True
