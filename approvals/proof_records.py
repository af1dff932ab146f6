"""Holds a PIN or passkey against the ledger before it is believed: a row that was written beside it proves nothing.

The tables say which proofs a person has now. Whoever can write into the database could put one of their own there, or
bring an ended one back; the entry in the ledger they cannot write.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from sqlalchemy.orm import Session

from approvals import ledger_entries
from approvals.assertions import from_base64url
from approvals.tables import ApproverPasskey

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


def once(parts: Mapping[str, str]) -> tuple[str, str]:
    """What two spellings of one signature have in common: of each ECDSA signature anybody can make a second one."""
    signature = parts.get("signature", "")
    with suppress(ValueError):  # of another kind, and that has one spelling
        signature = str(decode_dss_signature(from_base64url(signature))[0])
    return parts.get("credential_id", ""), signature


def _told(session: Session, *kinds: str) -> list[ledger_entries.Stored]:
    return ledger_entries.of_kinds(session, kinds)
