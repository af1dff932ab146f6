"""Reads the ledger as somebody who trusts nobody: every hash, every signature, every change of key.

Whoever can write into the database may have changed anything in it, so entries are read as the bare texts they are
stored as, and whatever they turn out to be is said in a sentence, never in a traceback. Only the keys are believed that
this installation used, and their list is kept outside the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from approvals.ledger import KEY_CHANGED, KEY_NAMED, NO_HASH
from approvals.ledger_entries import Stored, entries, is_readable, query, stored
from approvals.signing import is_public_key, key_id_of
from approvals.tables import LedgerEntry


@dataclass(frozen=True, kw_only=True)
class RecordProblem:
    """Where the records and the ledger contradict each other. `entry` is the entry's number."""

    entry: int
    problem: str


@dataclass(frozen=True)
class Verification:
    """What reading the ledger showed. When it is broken, `broken_at` and `reason` name the first bad entry."""

    entries: int
    ok: bool
    head: str
    broken_at: int | None = None
    reason: str | None = None
    unsigned: int = 0  # entries from before there were signatures
    key: str | None = None  # the name of the key that signs at the end
    pinned: bool = False  # whether the keys were compared with a list from outside the database
    since: int = 1  # from where on it was read
    anchor_at: int | None = None  # the entry that the noted hash belongs to
    records: tuple[RecordProblem, ...] = ()


def verify(
    session: Session, *, keys: Sequence[str] | None = None, since: int = 1, anchor: str | None = None
) -> Verification:
    """Read the chain and say whether every entry is as it was written and signed, in its place, with none missing.

    Args:
        session: any transaction.
        keys: the public keys that this installation ever signed with, in order, from outside the database. Without
            them the keys are believed that the ledger itself names.
        since: read from this entry on; what is before it is taken as it stands.
        anchor: the hash of an entry that was noted elsewhere: it must be in the chain. Only so a cut end is seen.
    """
    anchor_at = None if anchor is None else _place_of(session, anchor)
    chain = _begin(session, min(since, anchor_at or since), keys)
    # closed at once: on PostgreSQL a half-read chain would keep its cursor open
    with session.execute(query(session, chain.since).execution_options(yield_per=1000)) as rows:
        for row in rows:
            entry = stored(row)
            reason = chain.fault(entry)
            if reason:
                place = entry.seq if _is_number(entry.seq) else chain.entries + 1
                return chain.broken(min(place, chain.entries + 1), reason)
            chain.take(entry)
            if entry.hash == anchor:
                anchor_at = entry.seq
    return chain.ended(anchor, anchor_at)


class _Chain:
    """What is known of the chain up to the last entry that was taken."""

    def __init__(self, keys: Sequence[str] | None, *, since: int, head: str, key: str | None) -> None:
        self._keys, self._key = keys, key  # a key here is its public half
        self.since, self.entries, self._head = since, since - 1, head
        self._unsigned = 0

    def fault(self, entry: Stored) -> str | None:
        """The sentence about what is wrong with the next entry."""
        if misplaced := self._misplaced(entry):
            return misplaced
        place = f"Entry {entry.seq}"
        if not entry.fits:
            return f"{place} was changed after it was written: its hash does not fit its content."
        if not is_readable(entry):
            return f"{place} cannot be read as an entry of this ledger."
        if self._key is None:
            return self._unsigned_fault(entry, place)
        if entry.kind == KEY_CHANGED:
            return self._change_fault(entry, place, self._key)
        return self._signed_fault(entry, place, self._key)

    def take(self, entry: Stored) -> None:
        """Go on from this entry."""
        self.entries, self._head = entry.seq, entry.hash
        if entry.kind in (KEY_NAMED, KEY_CHANGED):
            self._key = entry.said()["public"]
        if self._key is None:
            self._unsigned += 1

    def broken(self, place: int, reason: str) -> Verification:
        """The answer for a chain that ends here, because what follows is wrong."""
        return replace(self._answer(), ok=False, broken_at=place, reason=reason)

    def ended(self, anchor: str | None, anchor_at: int | None) -> Verification:
        """The answer for a chain whose every entry is right."""
        present = self._keys[-1] if self._keys else None
        called = key_id_of(present) if present and is_public_key(present) else "of a list that cannot be read"
        if self.entries and present and self._key is None:
            return self.broken(
                min(self.since, self.entries),
                "No entry is signed, although this installation has a key: the whole ledger was written anew. (Right "
                "after an upgrade from a release without signatures, start Gatekeeper once first.)",
            )
        if present and self._key and self._key != present:
            return self.broken(
                self.entries + 1,
                f"The ledger ends under the key {key_id_of(self._key)}, but this installation has signed with "
                f"{called} since: its end was cut off.",
            )
        if anchor is not None and anchor_at is None:
            return self.broken(
                self.entries + 1,
                f"No entry has the hash {anchor}: the end of the ledger was cut off, or it was rewritten, after that "
                "hash was noted.",
            )
        return replace(self._answer(), anchor_at=anchor_at)

    def _misplaced(self, entry: Stored) -> str | None:
        due = self.entries + 1
        if not _is_number(entry.seq):
            return f"The entry after entry {self.entries} carries no number."
        if entry.seq > due:
            return f"Entry {due} is missing: entry {entry.seq} stands in its place."
        if entry.seq < due:
            return f"Entry {entry.seq} stands {'before the first entry' if entry.seq < 1 else 'there twice'}."
        if entry.prev_hash != self._head:
            return f"Entry {entry.seq} does not follow from the entry before it."
        return None

    def _answer(self) -> Verification:
        return Verification(
            self.entries,
            ok=True,
            head=self._head,
            unsigned=self._unsigned,
            key=key_id_of(self._key) if self._key else None,
            pinned=bool(self._keys),
            since=self.since,
        )

    def _unsigned_fault(self, entry: Stored, place: str) -> str | None:
        """What is wrong while no key was named yet."""
        if entry.kind == KEY_NAMED:
            public = entry.introduced()
            if public is None or entry.key_id != key_id_of(public) or not entry.is_signed_with(public):
                return f"{place} names the ledger's key, but was not signed with it: the entry is forged."
            return self._stranger(place, public)
        if entry.kind == KEY_CHANGED:
            return f"{place} changes the ledger's key, but none was named before: the entry is forged."
        if entry.key_id is not None or entry.signature is not None:
            return f"{place} is signed, but no entry before it names the key."
        return None

    def _signed_fault(self, entry: Stored, place: str, key: str) -> str | None:
        """What is wrong once a key was named."""
        if entry.key_id is None or entry.signature is None:
            return f"{place} is not signed, although entries before it are: somebody without the ledger's key wrote it."
        if entry.key_id != key_id_of(key):
            return f"{place} is signed with another key ({entry.key_id}) than the ledger's ({key_id_of(key)})."
        if not entry.is_signed_with(key):
            return f"{place} carries a signature that is not its own: somebody without the ledger's key wrote it."
        return f"{place} names the ledger's key a second time." if entry.kind == KEY_NAMED else None

    def _change_fault(self, entry: Stored, place: str, key: str) -> str | None:
        """What is wrong with an entry that hands the ledger to another key."""
        if entry.key_id != key_id_of(key) or not entry.is_signed_with(key):
            return f"{place} changes the ledger's key, but the key before it did not sign that."
        successor = entry.introduced()
        if successor is None or not entry.is_accepted_by(successor):
            return f"{place} changes the ledger's key, but the new key did not sign that it takes over."
        return self._stranger(place, successor)

    def _stranger(self, place: str, public: str) -> str | None:
        if not self._keys or public in self._keys:
            return None
        return (
            f"{place} gives the ledger to the key {key_id_of(public)}, which this installation never used: the ledger "
            "was written anew by somebody with a key of their own."
        )


def _begin(session: Session, since: int, keys: Sequence[str] | None) -> _Chain:
    """The chain before entry `since`; from the very first entry where what stands before cannot be gone on from."""
    before = next(entries(session, first=since - 1, last=since - 1), None) if since > 1 else None
    if before is not None and before.fits:
        key = _key_after(session, before)
        if key != "" and (key is None or not keys or key in keys):
            return _Chain(keys, since=since, head=before.hash, key=key)
    return _Chain(keys, since=1, head=NO_HASH, key=None)


def _key_after(session: Session, entry: Stored) -> str | None:
    """The key that signs what comes after an entry; none before there was one, empty where that is not clear."""
    # asked by kind alone, of which there are few: in the order of the entries it would read most of a long ledger
    named = query(session).where(LedgerEntry.kind.in_((KEY_NAMED, KEY_CHANGED))).order_by(None)
    before = [one for one in map(stored, session.execute(named)) if _is_number(one.seq) and one.seq <= entry.seq]
    if not before:
        return None if entry.key_id is None else ""
    introduction = max(before, key=lambda one: one.seq)
    key = introduction.introduced()
    if key is None:
        return ""
    if introduction.seq == entry.seq and entry.kind == KEY_CHANGED:
        return key if entry.is_accepted_by(key) else ""
    return key if entry.is_signed_with(key) else ""


def _place_of(session: Session, hashed: str) -> int | None:
    return session.scalar(select(func.min(LedgerEntry.seq)).where(LedgerEntry.hash == hashed))


def _is_number(seq: object) -> bool:
    """Whether this is a number at all: a table that somebody made anew may hold anything."""
    return isinstance(seq, int)
