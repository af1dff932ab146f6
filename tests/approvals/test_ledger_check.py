"""Somebody who may do anything in the database, but has not the ledger's key: each thing they can do has its sentence."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from approvals import ledger, ledger_check
from approvals.decisions import is_in_force
from approvals.errors import LedgerBroken, LedgerUnsigned
from approvals.ledger import KEY_CHANGED, KEY_NAMED, NO_HASH, canonical, entry_hash
from approvals.ledger_check import Verification
from approvals.ledger_entries import Stored, entries, first_since
from approvals.signing import Ed25519Signer, Signer, is_signed, make_key
from tests.approvals.room import Room
from tests.fixtures.signing import SIGNER

NEW = Ed25519Signer.read(make_key())
THIEF = Ed25519Signer.read(make_key())
LAST = 6


@pytest.fixture
def written(room: Room) -> Room:
    """A ledger of six entries, the first of which names the key; its guards are taken away, as an attacker would."""
    write(room, 5)
    room.unguard()
    return room


def write(room: Room, count: int, signer: Signer = SIGNER) -> None:
    for number in range(count):
        room.clock.advance(seconds=1)
        with room.db.begin() as session:
            session.info[ledger.SIGNER] = signer
            ledger.append(session, at=room.clock.now(), kind="test.written", body={"number": number})


def change(room: Room, old: Signer = SIGNER, new: Signer = NEW) -> None:
    with room.db.begin() as session:
        session.info[ledger.SIGNER] = old
        ledger.change_key(session, new, at=room.clock.now())


def chain(room: Room) -> list[Stored]:
    with room.db.read() as session:
        return list(entries(session))


def verified(room: Room, **asked: Any) -> Verification:
    with room.db.read() as session:
        return ledger_check.verify(session, **({"keys": [SIGNER.public]} | asked))


def put(room: Room, stored: list[Stored]) -> None:
    """Write these entries in the place of all others."""
    room.run("DELETE FROM ledger")
    for entry in stored:
        room.run(
            "INSERT INTO ledger (seq, at, kind, body, prev_hash, hash, key_id, signature) "
            "VALUES (:seq, :at, :kind, :body, :prev_hash, :hash, :key_id, :signature)",
            **entry._asdict(),
        )


def rehashed(stored: list[Stored], signer: Signer | None = None) -> list[Stored]:
    """The entries numbered and hashed anew; signed anew where there is somebody to sign."""
    made: list[Stored] = []
    head = NO_HASH
    for seq, entry in enumerate(stored, 1):
        hashed = entry_hash(head, seq=seq, at=entry.at, kind=entry.kind, body=entry.body)
        fresh = entry._replace(seq=seq, prev_hash=head, hash=hashed)
        made.append(fresh._replace(key_id=signer.key_id, signature=signer.sign(hashed)) if signer else fresh)
        head = hashed
    return made


def naming(signer: Signer) -> str:
    return canonical({"key": signer.key_id, "public": signer.public})


def changed(rows: list[Stored]) -> list[Stored]:
    return [row._replace(body='{"number":9}') if row.seq == 3 else row for row in rows]


def swapped(rows: list[Stored]) -> list[Stored]:
    return [
        rows[0], rows[1], rows[2]._replace(signature=rows[3].signature),
        rows[3]._replace(signature=rows[2].signature), *rows[4:],
    ]  # fmt: skip


def rebuilt(rows: list[Stored]) -> list[Stored]:
    return rehashed([rows[0]._replace(body=naming(THIEF)), *changed(rows)[1:]], THIEF)


NO_KEY = "somebody without the ledger's key wrote it."
TAMPERINGS: dict[str, tuple[Callable[[list[Stored]], list[Stored]], int, str]] = {
    "changed": (changed, 3, "Entry 3 was changed after it was written: its hash does not fit its content."),
    "deleted": (lambda rows: [*rows[:2], *rows[3:]], 3, "Entry 3 is missing: entry 4 stands in its place."),
    "reordered": (
        lambda rows: [*rows[:2], rows[3]._replace(seq=3), rows[2]._replace(seq=4), *rows[4:]],
        3,
        "Entry 3 does not follow from the entry before it.",
    ),
    "inserted": (
        lambda rows: [*rows[:2], rows[2]._replace(body="{}", hash="f" * 64), *[row._replace(seq=row.seq + 1) for row in rows[2:]]],
        3,
        "Entry 3 was changed after it was written: its hash does not fit its content.",
    ),
    "re-hashed": (
        lambda rows: rehashed(changed(rows)),
        3,
        f"Entry 3 carries a signature that is not its own: {NO_KEY}",
    ),
    "appended without a signature": (
        lambda rows: rehashed([*rows, rows[-1]._replace(key_id=None, signature=None)]),
        7,
        f"Entry 7 is not signed, although entries before it are: {NO_KEY}",
    ),
    "signatures taken away": (
        lambda rows: rehashed([row._replace(key_id=None, signature=None) for row in changed(rows)[1:]]),
        1,
        (
            "No entry is signed, although this installation has a key: the whole ledger was written anew. (Right after "
            "an upgrade from a release without signatures, start Gatekeeper once first.)"
        ),
    ),
    "re-signed with another key": (
        lambda rows: [*rows[:2], *rehashed(changed(rows), THIEF)[2:]],
        3,
        f"Entry 3 is signed with another key ({THIEF.key_id}) than the ledger's ({SIGNER.key_id}).",
    ),
    "re-signed in the name of the key": (
        lambda rows: [
            *rows[:2],
            *[row._replace(key_id=SIGNER.key_id) for row in rehashed(changed(rows), THIEF)[2:]],
        ],
        3,
        f"Entry 3 carries a signature that is not its own: {NO_KEY}",
    ),
    "signature swapped": (swapped, 3, f"Entry 3 carries a signature that is not its own: {NO_KEY}"),
    "signature spelt otherwise": (
        lambda rows: [*rows[:2], rows[2]._replace(signature=f"{rows[2].signature}"[:-3] + "x=="), *rows[3:]],
        3,
        f"Entry 3 carries a signature that is not its own: {NO_KEY}",
    ),
    "key entry forged": (
        lambda rows: rehashed([rows[0]._replace(body=naming(THIEF)), *rows[1:]]),
        1,
        "Entry 1 names the ledger's key, but was not signed with it: the entry is forged.",
    ),
    "key named under another's name": (
        lambda rows: rehashed(
            [rows[0]._replace(body=canonical({"key": SIGNER.key_id, "public": THIEF.public})), *rows[1:]], THIEF
        ),
        1,
        "Entry 1 names the ledger's key, but was not signed with it: the entry is forged.",
    ),
    "key named a second time": (
        lambda rows: rehashed([*rows[:3], rows[0], *rows[3:]], SIGNER),
        4,
        "Entry 4 names the ledger's key a second time.",
    ),
    "whole chain rebuilt": (
        rebuilt,
        1,
        (
            f"Entry 1 gives the ledger to the key {THIEF.key_id}, which this installation never used: the ledger was "
            "written anew by somebody with a key of their own."
        ),
    ),
    "no body at all": (
        lambda rows: [*rows[:2], *rehashed([row._replace(body="[nonsense") for row in rows], SIGNER)[2:]],
        3,
        "Entry 3 does not follow from the entry before it.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_each_kind_of_tampering_is_caught_and_told_by_its_own_sentence(written: Room, kind: str) -> None:
    tamper, place, sentence = TAMPERINGS[kind]
    assert verified(written).ok
    put(written, tamper(chain(written)))
    found = verified(written)
    assert (found.ok, found.broken_at, found.reason) == (False, place, sentence)
    assert found.entries == place - 1 or kind == "signatures taken away"


def test_a_cut_end_is_seen_with_a_hash_that_was_noted_elsewhere(written: Room) -> None:
    noted = chain(written)[-1].hash
    assert verified(written, anchor=noted).anchor_at == LAST
    put(written, chain(written)[:4])
    assert verified(written).ok  # nothing inside the chain shows it
    found = verified(written, anchor=noted)
    assert (found.ok, found.broken_at, found.entries) == (False, 5, 4)
    assert found.reason is not None
    assert found.reason.startswith(f"No entry has the hash {noted}: the end of the ledger was cut off")


def test_a_hash_noted_before_the_place_from_which_is_read_is_still_followed(written: Room) -> None:
    rows = chain(written)
    assert verified(written, since=5, anchor=rows[2].hash) == verified(written, since=3, anchor=rows[2].hash)
    assert not verified(written, since=5, anchor="0" * 64).ok


def test_what_a_program_would_stumble_over_is_told_in_a_sentence(room: Room) -> None:
    """In a ledger from before the signatures a forger may hash whatever they like."""
    room.unguard()
    row = Stored(1, "2026-11-23T09:00:00.000000+00:00", "test.written", "{}", NO_HASH, "", None, None)
    put(room, rehashed([row]))
    assert verified(room, keys=None).ok
    bodies = ("", "{", '{"a":1.5}', '{"a": 1}', "[" * 2000)
    moments = ("", "never", "2026-11-23", "2026-11-23T09:00:00.000000")
    wrong = [row._replace(kind=""), *(row._replace(body=b) for b in bodies), *(row._replace(at=m) for m in moments)]
    for entry in wrong:
        put(room, rehashed([entry]))
        found = verified(room, keys=None)
        assert (found.broken_at, found.reason) == (1, "Entry 1 cannot be read as an entry of this ledger."), entry


def test_bytes_that_are_no_text_are_told_in_a_sentence(written: Room) -> None:
    if not written.db.is_sqlite:
        pytest.skip("PostgreSQL keeps no such bytes in a text")
    written.run("UPDATE ledger SET body = CAST(x'ff00fe' AS TEXT) WHERE seq = 3")
    assert verified(written).reason == "Entry 3 was changed after it was written: its hash does not fit its content."


def test_a_table_made_anew_without_its_rules_is_told_in_a_sentence(written: Room) -> None:
    rows = chain(written)
    written.run("CREATE TABLE copy AS SELECT * FROM ledger")
    written.run("INSERT INTO copy SELECT * FROM ledger WHERE seq = 4")
    for table in ("withdrawal", "decision", "deputy_appointment", "ledger"):
        written.run(f"DROP TABLE {table}{'' if written.db.is_sqlite else ' CASCADE'}")
    written.run("ALTER TABLE copy RENAME TO ledger")
    found = verified(written)
    assert (found.broken_at, found.reason, found.head) == (4, "Entry 4 stands there twice.", rows[3].hash)


# the change of the key


def test_a_key_is_changed_by_both_and_the_chain_goes_on(room: Room) -> None:
    write(room, 2)
    change(room)
    write(room, 2, NEW)
    found = verified(room, keys=[SIGNER.public, NEW.public])
    assert (found.ok, found.key, found.entries, found.unsigned) == (True, NEW.key_id, 6, 0)
    with pytest.raises(LedgerUnsigned):
        write(room, 1, SIGNER)


@pytest.mark.parametrize(
    ("over", "signer", "sentence"),
    [
        ({}, THIEF, "Entry 4 changes the ledger's key, but the key before it did not sign that."),
        (
            {"accepted": ""},
            SIGNER,
            "Entry 4 changes the ledger's key, but the new key did not sign that it takes over.",
        ),
        (
            {"accepted": THIEF.accept("ab" * 32)},
            SIGNER,
            "Entry 4 changes the ledger's key, but the new key did not sign that it takes over.",
        ),
        (
            {"key": SIGNER.key_id},
            SIGNER,
            "Entry 4 changes the ledger's key, but the new key did not sign that it takes over.",
        ),
    ],
    ids=["without-the-old", "without-the-new", "over-another-entry", "under-another-name"],
)
def test_cannot_change_the_key_without_both(room: Room, over: dict[str, str], signer: Signer, sentence: str) -> None:
    write(room, 2)
    room.unguard()
    rows = chain(room)
    body = {"key": NEW.key_id, "public": NEW.public, "accepted": NEW.accept(rows[-1].hash)} | over
    forged = rehashed([*rows, rows[-1]._replace(kind=KEY_CHANGED, body=canonical(body))])[-1]
    put(room, [*rows, forged._replace(key_id=signer.key_id, signature=signer.sign(forged.hash))])
    found = verified(room, keys=[SIGNER.public, NEW.public])
    assert (found.broken_at, found.reason) == (4, sentence)


def test_a_key_that_this_installation_never_used_is_a_strangers_also_when_it_was_handed_over(room: Room) -> None:
    """Whoever got at the key once could hand the ledger to one of their own."""
    write(room, 1)
    change(room, new=THIEF)
    found = verified(room)
    assert (found.broken_at, found.ok) == (3, False)
    assert f"gives the ledger to the key {THIEF.key_id}, which this installation never used" in str(found.reason)
    assert verified(room, keys=None).ok


def test_a_ledger_that_ends_under_an_older_key_was_cut(room: Room) -> None:
    write(room, 2)
    change(room)
    room.unguard()
    put(room, chain(room)[:3])
    found = verified(room, keys=[SIGNER.public, NEW.public])
    assert (found.ok, found.broken_at) == (False, 4)
    assert f"under the key {SIGNER.key_id}, but this installation has signed with {NEW.key_id} since" in str(
        found.reason
    )


def test_a_list_that_was_spoilt_believes_nobody(written: Room) -> None:
    for keys in (["no key"], [SIGNER.public, "no key"], [NEW.public]):
        assert not verified(written, keys=keys).ok


# from before there were signatures


def upgraded(room: Room) -> Room:
    """A ledger of three entries of a release without signatures."""
    write(room, 3)
    room.unguard()
    put(room, rehashed([row._replace(key_id=None, signature=None) for row in chain(room)[1:]]))
    return room


def test_entries_from_before_the_signatures_are_counted_and_sealed_by_the_first_that_is_signed(room: Room) -> None:
    upgraded(room)
    with room.db.begin() as session:
        assert ledger.name_key(session, at=room.clock.now())
        assert not ledger.name_key(session, at=room.clock.now())
    write(room, 1)
    found = verified(room)
    assert (found.ok, found.unsigned, found.entries, found.key) == (True, 3, 5, SIGNER.key_id)
    assert [row.kind for row in chain(room)][3:] == [KEY_NAMED, "test.written"]
    rows = chain(room)
    put(room, rehashed([rows[0]._replace(body='{"number":9}'), *rows[1:]]))
    assert verified(room).reason == "Entry 4 names the ledger's key, but was not signed with it: the entry is forged."


@pytest.mark.parametrize(
    ("kind", "signer", "sentence"),
    [
        ("test.written", THIEF, "Entry 4 is signed, but no entry before it names the key."),
        (KEY_CHANGED, None, "Entry 4 changes the ledger's key, but none was named before: the entry is forged."),
        (KEY_NAMED, None, "Entry 4 names the ledger's key, but was not signed with it: the entry is forged."),
    ],
    ids=["signed-by-nobody", "change-of-none", "named-unsigned"],
)
def test_cannot_begin_the_signatures_in_another_way(
    room: Room, kind: str, signer: Signer | None, sentence: str
) -> None:
    rows = chain(upgraded(room))
    last = rehashed([*rows, rows[-1]._replace(kind=kind, body=naming(THIEF))])[-1]
    signed: dict[str, Any] = {"key_id": signer.key_id, "signature": signer.sign(last.hash)} if signer else {}
    put(room, [*rows, last._replace(**signed)])
    found = verified(room)
    assert (found.broken_at, found.reason) == (4, sentence)


# from an entry on


def test_reading_from_any_entry_on_comes_to_the_same_head(room: Room) -> None:
    write(room, 3)
    change(room)
    write(room, 3, NEW)
    keys = [SIGNER.public, NEW.public]
    whole = verified(room, keys=keys)
    for since in range(1, 10):
        part = verified(room, keys=keys, since=since)
        assert (part.ok, part.head, part.entries, part.key) == (True, whole.head, whole.entries, NEW.key_id)
        assert part.since == since


def test_what_was_done_before_the_place_from_which_is_read_shows_at_its_border_or_in_a_whole_reading(
    written: Room,
) -> None:
    put(written, changed(chain(written)))
    assert not verified(written).ok
    assert not verified(written, since=4).ok  # the entry before it is not as it was written: everything is read
    assert verified(written, since=5).ok  # that is what "since" means


def test_the_first_entry_of_a_day_is_found(room: Room) -> None:
    write(room, 2)
    room.clock.advance(days=2)
    write(room, 1)
    with room.db.read() as session:
        assert first_since(session, room.clock.now() - timedelta(days=1)) == 4
        assert first_since(session, room.clock.now() - timedelta(days=9)) == 1
        assert first_since(session, room.clock.now() + timedelta(days=1)) == 5


# what publishing rests on


def test_nothing_is_published_on_a_decision_that_nobody_with_the_key_wrote(room: Room) -> None:
    """Somebody who may write into the database puts in an approval and its entry, chained as it should be."""
    decision = room.approved()
    room.unguard()
    rows = chain(room)
    seq = decision.ledger_seq
    for forged in (
        rehashed([*rows[: seq - 1], rows[seq - 1]._replace(key_id=None, signature=None), *rows[seq:]]),
        [*rows[: seq - 1], *rehashed(rows, THIEF)[seq - 1 :]],
    ):
        for entry in forged:
            room.run(
                "UPDATE ledger SET hash = :hash, prev_hash = :prev_hash, key_id = :key_id, signature = :signature "
                "WHERE seq = :seq",
                **{name: getattr(entry, name) for name in ("seq", "hash", "prev_hash", "key_id", "signature")},
            )
        with room.db.begin() as session, pytest.raises(LedgerBroken):
            is_in_force(session, decision.id, keep=True)


def test_an_approval_from_before_the_key_was_changed_still_counts(room: Room) -> None:
    """The new key takes over in its own name: that seals everything before, from that moment on."""
    decision = room.approved()
    change(room)
    change(room, old=NEW, new=THIEF)
    for signer, counts in ((NEW, True), (THIEF, True), (Ed25519Signer.read(make_key()), False)):
        with room.db.begin() as session:
            session.info[ledger.SIGNER] = signer
            if counts:
                assert is_in_force(session, decision.id, keep=True)
            else:
                with pytest.raises(LedgerBroken):
                    is_in_force(session, decision.id, keep=True)


def test_a_signature_is_bound_to_its_purpose() -> None:
    assert not is_signed("ab" * 32, SIGNER.accept("ab" * 32), public=SIGNER.public)
    assert is_signed("ab" * 32, SIGNER.sign("ab" * 32), public=SIGNER.public)
