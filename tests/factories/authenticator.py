"""A passkey made of software: it enrols and answers as a telephone would, and can be told to do each thing wrongly."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

from approvals.assertions import to_base64url
from approvals.passkeys import Place

PLACE = Place(rp_id="localhost", origin="http://localhost:8000", name="Quarry Bank Primary", key=b"k" * 32)
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _new_key(kind: str) -> Any:
    if kind == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return Ed25519PrivateKey.generate() if kind == "EdDSA" else _RSA


@dataclass
class Authenticator:
    """One passkey. `counter` stays 0 as telephones keep it, unless it counts."""

    kind: str = "ES256"
    place: Place = PLACE
    counts: bool = False
    counter: int = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def __post_init__(self) -> None:
        self.key = _new_key(self.kind)

    def enrol(self, challenge: bytes, *, flags: int = PRESENT | VERIFIED, **wrong: Any) -> str:
        """What `navigator.credentials.create` sends."""
        cose = self._cose()
        attested = b"\0" * 16 + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cose
        data = self._data(flags | ATTESTED, wrong.pop("rp_id", self.place.rp_id)) + attested
        statement = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._sent(
            {
                "clientDataJSON": to_base64url(self._client("webauthn.create", challenge, **wrong)),
                "attestationObject": to_base64url(statement),
                "transports": ["internal", "carrier-pigeon"],
            }
        )

    def answer(self, challenge: bytes, *, flags: int = PRESENT | VERIFIED, **wrong: Any) -> str:
        """What `navigator.credentials.get` sends."""
        if self.counts:
            self.counter += 1
        data = self._data(flags, wrong.pop("rp_id", self.place.rp_id))
        client = self._client(wrong.pop("type", "webauthn.get"), challenge, **wrong)
        signature = self._sign(data + hashlib.sha256(client).digest())
        return self._sent(
            {
                "clientDataJSON": to_base64url(client),
                "authenticatorData": to_base64url(data),
                "signature": to_base64url(signature),
            }
        )

    def _client(self, kind: str, challenge: bytes, **wrong: Any) -> bytes:
        said = {"type": kind, "challenge": to_base64url(challenge), "origin": self.place.origin, "crossOrigin": False}
        return json.dumps(said | wrong).encode()

    def _data(self, flags: int, rp_id: str) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _sent(self, response: dict[str, Any]) -> str:
        name = to_base64url(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})

    def _sign(self, data: bytes) -> bytes:
        if self.kind == "ES256":
            return bytes(self.key.sign(data, ECDSA(SHA256())))
        if self.kind == "EdDSA":
            return bytes(self.key.sign(data))
        return bytes(self.key.sign(data, PKCS1v15(), SHA256()))

    def _cose(self) -> bytes:
        public = self.key.public_key()
        if self.kind == "EdDSA":
            return encode_cbor({1: 1, 3: -8, -1: 6, -2: public.public_bytes_raw()})
        numbers = public.public_numbers()
        if self.kind == "ES256":
            x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
            return encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        return encode_cbor({1: 3, 3: -257, -1: numbers.n.to_bytes(256, "big"), -2: numbers.e.to_bytes(3, "big")})
