"""The part of the ledger that goes into an evidence bundle: without a gap from the question to the last news of the post.

Where the ledger has not grown by much since, the slice goes on to its newest entry, so that a hash from any later mail
or receipt can be held against it. Otherwise the newest entry stands in the bundle alone. Entries about other posts
in between hold ids, digests and salted hashes, no word and no name.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import String, func, select, type_coerce
from sqlalchemy.orm import Session

from approvals.ledger import KEY_CHANGED, KEY_NAMED
from approvals.signing import key_id_of
from approvals.tables import ApprovalRequest, Decision, LedgerEntry
from gatekeeper.posts.model import Publication, Version
from gatekeeper.workflow.evidence_case import Case

MOST_AFTER: Final = 5000
"""So many entries after the last one about the post still go along: about three megabytes."""

#: entries that a reader needs although they may stand before the question: the keys, and who had which role
_ALWAYS: Final = (KEY_NAMED, KEY_CHANGED, "role.changed")
#: likewise, where they are about this decision: kind -> the field that says whether
_BEFORE: Final = {
    "deputy.named": "appointment",
    "deputy.ended": "appointment",
    "passkey.added": "person",
    "passkey.ended": "person",
}


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The entries in order, from where to where they are without a gap, and the ledger's newest entry."""

    entries: tuple[dict[str, Any], ...]
    first: int
    last: int
    head: int
    head_hash: str

    @property
    def keys(self) -> list[dict[str, Any]]:
        """The public keys that the ledger names, in the order in which they came."""
        found = []
        for entry in self.entries:
            if entry["kind"] in (KEY_NAMED, KEY_CHANGED):
                public = json.loads(entry["body"])["public"]
                found.append({"key": key_id_of(public), "public": public, "ledger_seq": entry["seq"]})
        return found

    def jsonl(self) -> bytes:
        """One entry a line."""
        lines = [json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for entry in self.entries]
        return "".join(f"{line}\n" for line in lines).encode()


def slice_for(session: Session, case: Case) -> Slice:
    """The slice of one case."""
    first = case.request.opened_seq
    last = _last_about(session, case, first)
    head = session.scalar(select(func.max(LedgerEntry.seq))) or last
    signed = session.scalar(select(LedgerEntry.seq).where(LedgerEntry.kind == KEY_NAMED).limit(1)) or 0
    last = max(last, signed)  # what was written before there were signatures is sealed by the first of them
    if head - last <= MOST_AFTER:
        last = head
    before = _STORED.where(LedgerEntry.seq < first, LedgerEntry.kind.in_((*_ALWAYS, *_BEFORE)))
    lone = [entry for entry in _rows(session, before) if _is_needed(entry, case)]
    later = _rows(session, _STORED.where(LedgerEntry.seq > last, LedgerEntry.kind == KEY_CHANGED))
    newest = _rows(session, _STORED.where(LedgerEntry.seq == head, LedgerEntry.seq > last))
    between = _rows(session, _STORED.where(LedgerEntry.seq >= first, LedgerEntry.seq <= last))
    by_seq = {entry["seq"]: entry for entry in (*lone, *between, *later, *newest)}
    entries = tuple(by_seq[seq] for seq in sorted(by_seq))
    return Slice(entries=entries, first=first, last=last, head=head, head_hash=entries[-1]["hash"])


_STORED: Final = select(
    LedgerEntry.seq,
    type_coerce(LedgerEntry.at, String).label("at"),  # exactly as it was hashed, whatever was done to it since
    LedgerEntry.kind,
    LedgerEntry.body,
    LedgerEntry.prev_hash,
    LedgerEntry.hash,
    LedgerEntry.key_id,
    LedgerEntry.signature,
).order_by(LedgerEntry.seq)


def _rows(session: Session, query: Any) -> Sequence[dict[str, Any]]:
    return [dict(row._mapping) for row in session.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name for it


def _is_needed(entry: dict[str, Any], case: Case) -> bool:
    if entry["kind"] in _ALWAYS:
        return True
    field = _BEFORE.get(entry["kind"])
    wanted = {"appointment": case.decision.appointment_id, "person": case.decision.approver_id}
    return field is not None and json.loads(entry["body"]).get(field) == wanted[field]


def _last_about(session: Session, case: Case, first: int) -> int:
    """The newest entry that speaks of this post: a question, a decision, its end, or a publication."""
    subject = case.decision.subject
    versions = set(session.scalars(select(Version.id).where(Version.post_id == case.post.id)))
    known: dict[str, set[Any]] = {
        "subject": {subject},
        "request": set(session.scalars(select(ApprovalRequest.id).where(ApprovalRequest.subject == subject))),
        "decision": set(session.scalars(select(Decision.id).where(Decision.subject == subject))),
        "publication": set(session.scalars(select(Publication.id).where(Publication.version_id.in_(versions)))),
    }
    last = case.decision.ledger_seq
    bodies = select(LedgerEntry.seq, LedgerEntry.body).where(LedgerEntry.seq >= first).order_by(LedgerEntry.seq)
    with session.execute(bodies.execution_options(yield_per=1000)) as rows:
        for seq, body in rows:
            said = json.loads(body)
            if any(said.get(name) in values for name, values in known.items()):
                last = max(last, seq)
    return last
