"""The ledger: what happened, in order, appended to and never changed, each entry sealed to the one before.

Each entry is signed (`signing`), so that a chain made anew by whoever can write into the database is known by its
missing signatures.

An entry's hash is SHA-256 over a domain, the previous entry's hash and the canonical JSON of the entry. Bodies carry
ids, digests and salted hashes, never a person's own words: the words stand in their own tables together with their
salt, so that erasing both later leaves the chain whole and the hash meaningless.

The ledger's lock is the one lock of this room. Whoever changes a request or a decision takes it first, so that on
PostgreSQL, too, what was read stays true until the commit. On SQLite the transaction already is the only writer.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Row, Table, insert, select, text
from sqlalchemy.orm import Session

from approvals.columns import utc_text
from approvals.errors import LedgerUnsigned
from approvals.signing import Signer, is_accepted
from approvals.tables import LedgerEntry

NO_HASH = "0" * 64

SIGNER = "ledger_signer"
"""Under this name a session carries who signs."""

KEY_NAMED, KEY_CHANGED = "ledger.key", "ledger.key_changed"

_ENTRY_DOMAIN = b"gatekeeper/ledger/1\x00"
_TEXT_DOMAIN = b"gatekeeper/text/1\x00"
_FORGED = "Somebody without the ledger's key wrote its last entry. Nothing is written after it."
_LOCK = 0x6761_7465_6C65_6467  # any number, as long as nobody else in this database uses it


class Appended(NamedTuple):
    """Where an entry stands, and what seals it."""

    seq: int
    hash: str


@dataclass(frozen=True)
class SaltedHash:
    """A text's hash for the ledger, and the salt that is kept beside the text and erased with it."""

    salt: str
    digest: str


def salted_hash(words: str, *, salt: str | None = None) -> SaltedHash:
    """A hash from which the text cannot be guessed without the salt, not even a name from a short list."""
    salt = salt or secrets.token_hex(32)
    return SaltedHash(salt, hashlib.sha256(_TEXT_DOMAIN + bytes.fromhex(salt) + words.encode()).hexdigest())


def hold(session: Session) -> None:
    """Wait until nobody else changes this room's records, and keep it so until the transaction ends.

    A transaction that locks rows of its own as well takes this lock before them, always: two transactions that take
    them in different order would wait for each other.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def append(session: Session, *, at: datetime, kind: str, body: Mapping[str, Any]) -> Appended:
    """Add the next entry within the caller's transaction: the change and its trace are kept together or not at all.

    The session carries who signs (`session.info[SIGNER]`). The very first entry that is signed is preceded by one
    that names the key.

    Raises:
        LedgerUnsigned: nobody signs here, or with another key than the ledger's, or nobody with the ledger's key
            wrote the last entry: what is appended would vouch for it.
    """
    signer: Signer | None = session.info.get(SIGNER)
    if signer is None:
        raise LedgerUnsigned("This process holds no key of the ledger, so it may write nothing into it.")
    hold(session)
    last = session.execute(_LAST).first()
    if last is None or last.key_id is None:
        _check_never_signed(session)
        first = _name(session, signer, (last.seq, last.hash) if last else (0, NO_HASH), at=at)
        return _add(session, signer, first, at=at, kind=kind, body=body)
    if _key_after(last) != signer.key_id:
        raise LedgerUnsigned("The ledger is signed with another key than the one this process holds.")
    if not _is_sealed(last, signer):
        raise LedgerUnsigned(_FORGED)
    return _add(session, signer, (last.seq, last.hash), at=at, kind=kind, body=body)


def change_key(session: Session, successor: Signer, *, at: datetime) -> Appended:
    """Hand the ledger to another key: the entry is signed by the present one and carries the new one's own word.

    From the commit on only `successor` can append.

    Raises:
        LedgerUnsigned: as `append`.
    """
    hold(session)
    last = session.execute(_LAST).first()
    if last is None or last.key_id is None:
        raise LedgerUnsigned("The ledger has no key yet, so there is none to change.")
    body = {"key": successor.key_id, "public": successor.public, "accepted": successor.accept(last.hash)}
    return append(session, at=at, kind=KEY_CHANGED, body=body)


def _check_never_signed(session: Session) -> None:
    """The key is named once: naming it again would take in what somebody without it wrote at the end."""
    if session.execute(_SIGNED).first() is not None:
        raise LedgerUnsigned(_FORGED)


def _name(session: Session, signer: Signer, last: tuple[int, str], *, at: datetime) -> Appended:
    return _add(session, signer, last, at=at, kind=KEY_NAMED, body={"key": signer.key_id, "public": signer.public})


def _add(
    session: Session, signer: Signer, last: tuple[int, str], *, at: datetime, kind: str, body: Mapping[str, Any]
) -> Appended:
    """Add the entry that follows the one with this number and hash."""
    written, seq, prev_hash = canonical(body), last[0] + 1, last[1]
    hashed = entry_hash(prev_hash, seq=seq, at=utc_text(at), kind=kind, body=written)
    session.flush()  # what the entry tells of is written before it
    session.execute(
        _APPEND,
        {
            "seq": seq,
            "at": at,
            "kind": kind,
            "body": written,
            "prev_hash": prev_hash,
            "hash": hashed,
            "key_id": signer.key_id,
            "signature": signer.sign(hashed),
        },
    )
    return Appended(seq, hashed)


def _key_after(last: Row[*tuple[Any, ...]]) -> str:
    """The name of the key that signs what comes after this entry; none of ours where the entry was tampered with."""
    return str(last.key_id) if last.kind != KEY_CHANGED else _told(last, "key")


def _is_sealed(last: Row[*tuple[Any, ...]], signer: Signer) -> bool:
    """Whether this key wrote the last entry, or took over with it."""
    return signer.has_signed(last.hash, last.signature) or (
        last.kind == KEY_CHANGED and is_accepted(last.prev_hash, _told(last, "accepted"), public=signer.public)
    )


def _told(last: Row[*tuple[Any, ...]], name: str) -> str:
    try:
        return str(json.loads(last.body)[name])
    except (ValueError, KeyError, TypeError):
        return ""


def present_key(session: Session) -> str | None:
    """The name of the key that signs the next entry; None while no entry is signed."""
    last = session.execute(_LAST).first()
    return _key_after(last) if last is not None and last.key_id is not None else None


def name_key(session: Session, *, at: datetime) -> bool:
    """Begin to sign a ledger that was written before there were signatures. Says whether there was anything to do.

    From then on what was written before is sealed as well, and no entry without a signature can follow.

    Raises:
        LedgerUnsigned: one did follow, so somebody without the key wrote it.
    """
    signer: Signer | None = session.info.get(SIGNER)
    hold(session)
    last = session.execute(_LAST).first()
    if signer is None or last is None or last.key_id is not None:
        return False
    _check_never_signed(session)
    _name(session, signer, (last.seq, last.hash), at=at)
    return True


def canonical(body: Mapping[str, Any]) -> str:
    """The one way a body is spelt: keys sorted, no spaces, no numbers that could be spelt twice."""
    _check_plain(body)
    return _spelt(body)


_spelt = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode

# asked or written for each post that goes out: of the bare table, and made once
_TABLE = cast("Table", LedgerEntry.__table__)
_LAST = (
    select(*(_TABLE.c[name] for name in ("seq", "hash", "kind", "body", "prev_hash", "key_id", "signature")))
    .order_by(_TABLE.c.seq.desc())
    .limit(1)
)
_SIGNED = select(_TABLE.c.seq).where(_TABLE.c.key_id.is_not(None)).limit(1)
_APPEND = insert(_TABLE)


def entry_hash(prev_hash: str, *, seq: int, at: str, kind: str, body: str) -> str:
    """What seals an entry to the one before it."""
    content = _spelt({"seq": seq, "at": at, "kind": kind, "body": body})
    return hashlib.sha256(_ENTRY_DOMAIN + prev_hash.encode() + content.encode()).hexdigest()


def _check_plain(value: Any) -> None:
    """Refuse what JSON could spell in two ways or read back as something else."""
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        for part in value.values():
            _check_plain(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _check_plain(part)
    elif value is not None and not isinstance(value, str | int):  # bool is an int
        msg = f"a ledger body holds texts, whole numbers, yes and no, and lists of them, not {type(value).__name__}"
        raise TypeError(msg)
