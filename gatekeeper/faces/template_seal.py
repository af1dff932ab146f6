"""Seals a child's 128 numbers with a key that the scanning process alone holds.

AES-256-GCM; the seal is bound to the row, the pupil and the engine, so that a template copied to another row or another
child does not open there. There may be several keys: the first one seals, all of them open. That is how a key is
replaced: a new one is put in front, everything is sealed anew, the old one is taken away.
"""

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from typing import Final

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gatekeeper.errors import GatekeeperError, SettingsError
from gatekeeper.faces.match import Encoding

ENGINE: Final = "dlib-resnet-small-1"  # who made the numbers; those of another engine mean nothing beside them
_VERSION: Final = "t1"
_NUMBERS: Final = 128
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


class CannotBeOpened(GatekeeperError):
    """A template does not open: another key, another row or pupil, or not as it was sealed. Nothing of it is shown."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a template belongs. Anywhere else it stays shut."""

    row: int
    pupil: int
    engine: str = ENGINE

    def bytes(self) -> bytes:
        """What the seal is bound to."""
        return f"face_template:{self.row}:{self.pupil}:{self.engine}".encode()


def make_key() -> str:
    """A new key as text."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode()


class TemplateKeys:
    """The keys of the templates, the one in use first."""

    def __init__(self, text: str) -> None:
        """Read keys written one after the other, with spaces, commas or new lines between them.

        Raises:
            SettingsError: there is none, or one of them is no key. No key is repeated in the sentence.
        """
        raw = [_key(word) for word in text.replace(",", " ").split()]
        if not raw:
            raise SettingsError("GATEKEEPER_TEMPLATE_KEY is missing.")
        self._ciphers = {_id_of(key): AESGCM(key) for key in raw}
        self.current = _id_of(raw[0])

    def seal(self, encoding: Encoding, place: Place) -> str:
        """Lock the numbers away for this place, with the key in use."""
        if encoding.shape != (_NUMBERS,):
            raise ValueError("a template is 128 numbers")
        nonce = os.urandom(_NONCE_BYTES)
        locked = self._ciphers[self.current].encrypt(nonce, encoding.astype("<f4").tobytes(), place.bytes())
        return f"{_VERSION}.{base64.urlsafe_b64encode(nonce + locked).decode()}"

    def open(self, sealed: str, place: Place, *, key_id: str) -> Encoding:
        """The numbers that were locked away for this place.

        Raises:
            CannotBeOpened: they do not open here.
        """
        refusal = CannotBeOpened("A face template cannot be opened. Enrol the pupil again.")
        cipher = self._ciphers.get(key_id)
        version, _, text = sealed.partition(".")
        if cipher is None or version != _VERSION:
            raise refusal
        try:
            raw = base64.urlsafe_b64decode(text)
            plain = cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.bytes())
        except (ValueError, InvalidTag, binascii.Error):
            raise refusal from None
        return np.frombuffer(plain, "<f4").astype(np.float64)


def _id_of(key: bytes) -> str:
    return hashlib.sha256(b"gatekeeper face template key" + key).hexdigest()[:16]


def _key(word: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(word)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise SettingsError("GATEKEEPER_TEMPLATE_KEY holds something that is no key.")
    return raw
