import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from approvals import ledger, ledger_check
from approvals.ledger import NO_HASH
from tests.approvals.room import Room
from tests.fixtures.signing import SIGNER


def write(room: Room, upto: int = 5) -> None:
    """Write until there are so many entries; the first of all names the key."""
    while (present := room.rows()["ledger"]) < upto:
        room.clock.advance(seconds=1)
        with room.db.begin() as session:
            body = {"number": max(present, 1) + 1}
            ledger.append(session, at=room.clock.now(), kind="test.written", body=body)


def verified(room: Room) -> ledger_check.Verification:
    with room.db.read() as session:
        return ledger_check.verify(session)


def test_an_empty_ledger_verifies_with_a_head_of_zeros(room: Room) -> None:
    assert verified(room) == ledger_check.Verification(entries=0, ok=True, head="0" * 64)


def test_entries_are_numbered_without_gaps_and_the_head_is_the_last_hash(room: Room) -> None:
    write(room, 3)
    with room.db.read() as session:
        rows = session.execute(text("SELECT seq, prev_hash, hash FROM ledger ORDER BY seq")).all()
    assert [row.seq for row in rows] == [1, 2, 3]
    assert [row.prev_hash for row in rows] == [NO_HASH, rows[0].hash, rows[1].hash]
    assert verified(room) == ledger_check.Verification(entries=3, ok=True, head=rows[2].hash, key=SIGNER.key_id)


def test_a_rolled_back_entry_leaves_no_gap(room: Room) -> None:
    write(room, 2)
    with room.db.begin() as session:
        ledger.append(session, at=room.clock.now(), kind="test.lost", body={})
        session.rollback()
    write(room, 3)
    assert verified(room).entries == 3


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("body", '{"number":4}'),
        ("body", '{"number": 3}'),  # the same to a JSON reader, but not as it was written
        ("kind", "test.changed"),
        ("at", "2026-11-23T09:00:03.000001+00:00"),
        ("at", "yesterday"),
        ("hash", "f" * 64),
    ],
)
def test_a_changed_entry_is_named(room: Room, column: str, value: str) -> None:
    write(room)
    room.unguard()
    room.run(f"UPDATE ledger SET {column} = :value WHERE seq = 3", value=value)
    found = verified(room)
    assert (found.ok, found.broken_at, found.entries) == (False, 3, 2)
    assert found.reason == "Entry 3 was changed after it was written: its hash does not fit its content."


def test_an_entry_whose_hash_was_made_to_fit_is_betrayed_by_its_signature(room: Room) -> None:
    write(room)
    room.unguard()
    forged = ledger.entry_hash(
        _stored(room, 3, "prev_hash"), seq=3, at=_stored(room, 3, "at"), kind="test.written", body="{}"
    )
    room.run("UPDATE ledger SET body = '{}', hash = :hash WHERE seq = 3", hash=forged)
    found = verified(room)
    assert (found.ok, found.broken_at) == (False, 3)
    assert found.reason == (
        "Entry 3 carries a signature that is not its own: somebody without the ledger's key wrote it."
    )


def test_a_removed_entry_is_missed(room: Room) -> None:
    write(room)
    room.unguard()
    room.run("DELETE FROM ledger WHERE seq = 3")
    found = verified(room)
    assert (found.ok, found.broken_at) == (False, 3)
    assert found.reason == "Entry 3 is missing: entry 4 stands in its place."


def test_a_removed_first_entry_is_missed(room: Room) -> None:
    write(room)
    room.unguard()
    room.run("DELETE FROM ledger WHERE seq = 1")
    assert (verified(room).broken_at, verified(room).entries) == (1, 0)


def test_a_removed_entry_whose_place_was_closed_up_is_missed(room: Room) -> None:
    write(room)
    room.unguard()
    room.run("DELETE FROM ledger WHERE seq = 3")
    room.run("UPDATE ledger SET seq = 3 WHERE seq = 4")
    room.run("UPDATE ledger SET seq = 4 WHERE seq = 5")
    assert (verified(room).ok, verified(room).broken_at) == (False, 3)


def test_reordered_entries_are_noticed(room: Room) -> None:
    write(room)
    room.unguard()
    room.run("UPDATE ledger SET seq = 99 WHERE seq = 2")
    room.run("UPDATE ledger SET seq = 2 WHERE seq = 3")
    room.run("UPDATE ledger SET seq = 3 WHERE seq = 99")
    found = verified(room)
    assert (found.ok, found.broken_at) == (False, 2)


def test_an_entry_before_the_first_is_noticed(room: Room) -> None:
    write(room, 2)
    room.unguard()
    if room.db.is_sqlite:
        room.run("PRAGMA ignore_check_constraints = ON")
    else:
        room.run("ALTER TABLE ledger DROP CONSTRAINT ck_ledger_seq")
    room.run("INSERT INTO ledger VALUES (0, '', '', '', :none, :none, NULL, NULL)", none=NO_HASH)
    assert verified(room).reason == "Entry 0 stands before the first entry."


def test_a_cut_tail_shows_only_against_a_head_kept_elsewhere(room: Room) -> None:
    """The chain cannot know its own end. The receipts and mails that carry the head do."""
    write(room)
    kept = verified(room)
    room.unguard()
    room.run("DELETE FROM ledger WHERE seq = 5")
    assert verified(room).ok
    assert verified(room).head != kept.head


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET body = '{}' WHERE seq = 2",
        "UPDATE ledger SET at = 'never'",
        "DELETE FROM ledger WHERE seq = 5",
        "DELETE FROM ledger",
        "INSERT INTO ledger SELECT 7, at, kind, body, hash, prev_hash, key_id, signature FROM ledger WHERE seq = 5",
        "INSERT INTO ledger SELECT 6, at, kind, body, prev_hash, prev_hash, key_id, signature FROM ledger WHERE seq = 5",
    ],
)
def test_the_database_itself_refuses_to_change_the_ledger(room: Room, statement: str) -> None:
    write(room)
    before = room.everything()
    with pytest.raises(DBAPIError, match="evidence"):
        room.run(statement)
    assert room.everything() == before


def test_the_database_refuses_the_ways_around_row_triggers(room: Room) -> None:
    """SQLite's OR REPLACE removes rows without a delete trigger, PostgreSQL's TRUNCATE without any row trigger."""
    write(room)
    ways = (
        [
            "INSERT OR REPLACE INTO ledger SELECT seq, at, kind, '{}', prev_hash, hash, key_id, signature FROM ledger WHERE seq = 2",
            "REPLACE INTO ledger SELECT 6, at, kind, '{}', hash, hash, key_id, signature FROM ledger WHERE seq = 5",
            "UPDATE OR REPLACE ledger SET seq = 4 WHERE seq = 3",
        ]
        if room.db.is_sqlite
        else ["TRUNCATE ledger CASCADE", "TRUNCATE decision CASCADE", "TRUNCATE withdrawal"]
    )
    before = room.everything()
    for way in ways:
        with pytest.raises(DBAPIError, match="evidence"):
            room.run(way)
    assert room.everything() == before


def test_a_body_is_spelt_in_one_way_only() -> None:
    assert ledger.canonical({"b": [True, None], "a": "é"}) == '{"a":"é","b":[true,null]}'


@pytest.mark.parametrize("body", [{"price": 1.5}, {"deep": [{"when": object()}]}, {"keys": {1: "one"}}])
def test_a_body_that_could_be_spelt_in_two_ways_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="ledger body"):
        ledger.canonical(body)


def test_a_text_hash_needs_its_salt() -> None:
    first, second = ledger.salted_hash("Amy"), ledger.salted_hash("Amy")
    assert first.digest != second.digest
    assert ledger.salted_hash("Amy", salt=first.salt) == first
    assert ledger.salted_hash("Amy ", salt=first.salt).digest != first.digest


def test_bodies_are_stored_as_they_were_hashed(room: Room) -> None:
    write(room, 2)
    assert json.loads(_stored(room, 2, "body")) == {"number": 2}
    assert _stored(room, 2, "at") == "2026-11-23T09:00:01.000000+00:00"


def _stored(room: Room, seq: int, column: str) -> str:
    with room.db.read() as session:
        return str(session.execute(text(f"SELECT {column} FROM ledger WHERE seq = :seq"), {"seq": seq}).scalar_one())
