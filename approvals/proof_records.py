"""Holds a PIN or passkey against the ledger before it is believed: a row that was written beside it proves nothing.

The tables say which proofs a person has now. Whoever can write into the database could put one of their own there, or
bring an ended one back; the entry in the ledger they cannot write.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from sqlalchemy.orm import Session

from approvals import ledger_entries
from approvals.assertions import from_base64url, to_base64url
from approvals.columns import utc_text
from approvals.errors import LedgerUnsigned
from approvals.ledger import SIGNER
from approvals.signing import Signer
from approvals.tables import ApprovalView, ApproverPasskey

NONCE: Final = 16
"""Random bytes of a secret; as many more seal it."""

_PIN_DOMAIN = b"gatekeeper/pin/1\x00"


def pin_name(pin_hash: str) -> str:
    """The name under which the ledger knows a PIN: of its slow, salted hash, so that it gives no help in guessing."""
    return hashlib.sha256(_PIN_DOMAIN + pin_hash.encode()).hexdigest()


def pin_is_on_record(session: Session, person_id: int, pin_hash: str) -> bool:
    """Whether the ledger holds this as the PIN that this person chose last, and not as removed since.

    An entry from before PINs were named there names none; then any counts.
    """
    mine = [entry for entry in _told(session, "pin.set", "pin.removed") if entry.said().get("person") == person_id]
    if not mine or mine[-1].kind != "pin.set" or ledger_entries.as_written(session, mine[-1].seq) is None:
        return False
    named = mine[-1].said().get("hash")
    return named is None or named == pin_name(pin_hash)


def passkey_is_on_record(session: Session, passkey: ApproverPasskey, *, key: str) -> bool:
    """Whether the ledger holds this passkey as this person's, with this key (`assertions.key_hash`), and not as ended."""
    wanted: dict[str, Any] = {"passkey": passkey.id, "person": passkey.person_id, "key": key}
    added = [entry for entry in _told(session, "passkey.added") if entry.said().get("passkey") == passkey.id]
    if len(added) != 1 or added[0].said() != wanted or ledger_entries.as_written(session, added[0].seq) is None:
        return False
    return not any(entry.said().get("passkey") == passkey.id for entry in _told(session, "passkey.ended"))


def view_secret(session: Session, row: ApprovalView, *, nonce: bytes) -> str:
    """What a browser holds after the second proof: random, and sealed over who proved it, how, when and for what.

    Only a process with the ledger's key can make one, so that a row written into the table by hand proves nothing.

    Raises:
        LedgerUnsigned: this process holds no key.
    """
    signer: Signer | None = session.info.get(SIGNER)
    if signer is None:
        raise LedgerUnsigned("This process holds no key of the ledger, so it can vouch for no proof.")
    told = [row.token_id, row.request_id, row.person_id, row.proof_method, utc_text(row.proved_at)]
    content = json.dumps([nonce.hex(), *told, utc_text(row.proved_until)]).encode()
    seal = hashlib.sha256(signer.vouch(hashlib.sha256(content).hexdigest()).encode()).digest()[:NONCE]
    return to_base64url(nonce + seal)


def view_is_on_record(session: Session, row: ApprovalView, secret: str) -> bool:
    """Whether this secret was made for exactly this row by a process with the ledger's key.

    A session that can write nothing into the ledger cannot judge it, and need not: it can record no decision either.
    """
    if session.info.get(SIGNER) is None:
        return True
    try:
        expected = view_secret(session, row, nonce=from_base64url(secret)[:NONCE])
    except ValueError:
        return False
    return hmac.compare_digest(expected, secret)


def once(parts: Mapping[str, str]) -> tuple[str, str]:
    """What two spellings of one signature have in common: of each ECDSA signature anybody can make a second one."""
    signature = parts.get("signature", "")
    with suppress(ValueError):  # of another kind, and that has one spelling
        signature = str(decode_dss_signature(from_base64url(signature))[0])
    return parts.get("credential_id", ""), signature


def _told(session: Session, *kinds: str) -> list[ledger_entries.Stored]:
    return ledger_entries.of_kinds(session, kinds)
