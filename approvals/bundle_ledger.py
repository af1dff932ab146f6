"""Checks the part of the ledger that an evidence bundle holds: order, hashes, chain, keys and signatures."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from approvals.bundle_read import Report, read_json, sha

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ed25519
except ImportError:  # it is then said of everything that could not be looked at
    CAN_SIGN = False
else:
    CAN_SIGN = True

ENTRY = b"gatekeeper/ledger/1\x00"
SIGNED, ACCEPTED = b"gatekeeper/ledger-signature/1\x00", b"gatekeeper/ledger-key/1\x00"


def is_signed(domain: bytes, hashed: str, signature: Any, public: str) -> bool:
    """Whether this Ed25519 key signed this hash for this purpose."""
    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(signature, validate=True), domain + bytes.fromhex(hashed))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def fingerprint(public: str) -> str:
    """What a key is known by; its first sixteen digits are its name."""
    return hashlib.sha256(base64.b64decode(public)).hexdigest()


class Ledger:
    """The entries of the bundle: a slice without a gap, and single ones from before and after it."""

    def __init__(self, files: dict[str, bytes], bounds: Any, report: Report) -> None:
        self.report = report
        self.first, self.last = int(bounds["from"]), int(bounds["to"])
        lines = files.get("ledger.jsonl", b"").decode().splitlines()
        self.entries = [read_json({"ledger.jsonl": line.encode()}, "ledger.jsonl") for line in lines]
        self.by_seq = {entry["seq"]: entry for entry in self.entries}
        self.keys: dict[str, str] = {}  # name -> public half, in the order in which they came
        self.changes: list[tuple[int, str]] = []  # from which entry on which key signs
        self.trusted: set[str] = set()

    def check(self, given_key: str) -> None:
        """Order, hashes, chain, keys and signatures, in this order."""
        faults = self.report.wrong_ones
        self._check_order()
        self._check_hashes()
        if CAN_SIGN:
            self._check_keys(given_key)
            self._check_signatures()
        else:
            self.report.unchecked("The signatures of the ledger: the package “cryptography” is not installed here.")
        if self.report.wrong_ones == faults and CAN_SIGN:
            self.report.ok(f"Ledger entries {self.first} to {self.last} are whole, chained, and as they were written.")

    def _check_order(self) -> None:
        seqs = [entry["seq"] for entry in self.entries]
        for place in range(1, len(seqs)):
            before, after = seqs[place - 1], seqs[place]
            if after <= before:
                self.report.wrong(f"Ledger entry {after} stands after entry {before}: the order was changed.")
        for seq in range(self.first, min(self.last, self.first + len(seqs)) + 1):
            if seq not in self.by_seq:
                self.report.wrong(f"Ledger entry {seq} is missing.")
                break

    def _check_hashes(self) -> None:
        for entry in self.entries:
            seq, before = entry["seq"], self.by_seq.get(entry["seq"] - 1)
            content = {name: entry[name] for name in ("seq", "at", "kind", "body")}
            spelt = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            if sha(ENTRY, entry["prev_hash"].encode(), spelt.encode()) != entry["hash"]:
                self.report.wrong(f"Ledger entry {seq} was changed: its hash does not fit its content.")
            if before is not None and before["hash"] != entry["prev_hash"]:
                self.report.wrong(f"Ledger entry {seq} does not follow from entry {seq - 1}.")

    def _check_keys(self, given_key: str) -> None:
        for entry in self.entries:
            if entry["kind"] not in ("ledger.key", "ledger.key_changed"):
                continue
            body = json.loads(entry["body"])
            name, public = body["key"], body["public"]
            fault = self._fault_of_key(entry, name, public, body.get("accepted"))
            if fault:
                self.report.wrong(f"Ledger entry {entry['seq']} {fault}.")
                continue
            follows = entry["kind"] == "ledger.key_changed"
            if given_key and (
                fingerprint(public).startswith(given_key) or (follows and entry["key_id"] in self.trusted)
            ):
                self.trusted.add(name)
            self.keys[name] = public
            self.changes.append((entry["seq"] + follows, name))
        if given_key and not self.trusted:
            self.report.wrong("The key you gave is none that this ledger was signed with: it is another ledger.")
        elif given_key:
            self.report.ok("The key you gave is one that signed this ledger.")
        elif self.keys:
            self.report.note(
                f"The bundle names its key itself: {next(iter(self.keys))}. Ask the school for the name and give it "
                "with --key; only then is it certain that this is the school's ledger."
            )

    def _fault_of_key(self, entry: Any, name: str, public: str, accepted: Any) -> str:
        if fingerprint(public)[:16] != name:
            return "gives a key another name than its own"
        if entry["kind"] == "ledger.key":
            return "names a second first key: somebody put in their own" if self.keys else ""
        both = entry["key_id"] in self.keys and is_signed(ACCEPTED, entry["prev_hash"], accepted, public)
        return "" if both else "changes the key without the word of both"

    def _check_signatures(self) -> None:
        unsigned: list[int] = []
        for entry in self.entries:
            seq, name = entry["seq"], entry["key_id"]
            due = [key for since, key in self.changes if since <= seq]
            if name is None and not due:
                unsigned.append(seq)
            elif name is None:
                self.report.wrong(f"Ledger entry {seq} is not signed, although entries before it are.")
            elif name not in self.keys:
                self.report.wrong(f"Ledger entry {seq} is signed with a key that the ledger never named.")
            elif due[-1:] != [name]:
                self.report.wrong(f"Ledger entry {seq} is signed with a key that was not the ledger's at that time.")
            elif not is_signed(SIGNED, entry["hash"], entry["signature"], self.keys[name]):
                self.report.wrong(f"Ledger entry {seq} does not bear a true signature of key {name}.")
        if unsigned:
            rest = "sealed by the signed entry that follows" if self.signed_after(unsigned[-1]) else "signed by nothing"
            self.report.note(
                f"Entries {unsigned[0]} to {unsigned[-1]} were written before this school's ledger was signed. They "
                f"are chained, and {rest}."
            )

    def signed_after(self, seq: int, *, only: set[str] | None = None) -> bool:
        """Whether this entry, or one chained after it without a gap, is signed (by one of these keys)."""
        while seq in self.by_seq:
            name = self.by_seq[seq]["key_id"]
            if name in (self.keys if only is None else only):
                return True
            seq += 1
        return False

    def body(self, seq: int, kind: str) -> dict[str, Any] | None:
        """What this entry says, if it is of this kind."""
        entry = self.by_seq.get(seq)
        if entry is None or entry["kind"] != kind:
            self.report.wrong(f"Ledger entry {seq} should tell of “{kind}”, and does not.")
            return None
        found: dict[str, Any] = json.loads(entry["body"])
        return found

    def of_kind(self, kind: str) -> list[tuple[int, dict[str, Any]]]:
        """All entries of one kind."""
        return [(entry["seq"], json.loads(entry["body"])) for entry in self.entries if entry["kind"] == kind]
