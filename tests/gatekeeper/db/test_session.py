"""Transactions lose nothing, on both databases."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from gatekeeper.db.session import Database


def test_concurrent_read_then_write_loses_no_update(database: Database) -> None:
    """With SQLAlchemy's default on SQLite, the counter ends far below the number of successful transactions."""
    with database.begin() as session:
        session.execute(text("CREATE TABLE counter (n INTEGER)"))
        session.execute(text("INSERT INTO counter VALUES (0)"))
    lock = "" if database.is_sqlite else " FOR UPDATE"

    def add() -> None:
        for _ in range(25):
            with database.begin() as session:
                n = session.execute(text(f"SELECT n FROM counter{lock}")).scalar_one()
                session.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(add) for _ in range(4)]:
            done.result()
    with database.read() as session:
        assert session.execute(text("SELECT n FROM counter")).scalar_one() == 100


def test_sqlite_is_durable_before_anybody_is_told(sqlite_database: Database) -> None:
    with sqlite_database.begin() as session:
        assert session.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert session.execute(text("PRAGMA synchronous")).scalar_one() == 2  # FULL
        assert session.execute(text("PRAGMA foreign_keys")).scalar_one() == 1


def test_a_reader_does_not_wait_for_a_writer(sqlite_database: Database) -> None:
    seen: list[int] = []
    with sqlite_database.begin() as session:
        session.execute(text("CREATE TABLE thing (n INTEGER)"))

        def read() -> None:
            with sqlite_database.read() as other:
                seen.append(other.execute(text("SELECT count(*) FROM staff")).scalar_one())

        reader = threading.Thread(target=read)
        reader.start()
        reader.join(timeout=5)
    assert seen == [0]


def test_an_error_message_never_repeats_what_was_stored(database: Database) -> None:
    with pytest.raises(Exception) as caught, database.begin() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "Aurelia Canary"})
    assert "Canary" not in str(caught.value)


def test_a_forked_child_opens_its_own_connection(sqlite_database: Database) -> None:
    with sqlite_database.read() as session:
        session.execute(text("SELECT 1"))
    child = os.fork()
    if child == 0:
        try:
            sqlite_database.after_fork()
            with sqlite_database.begin() as session:
                session.execute(text("CREATE TABLE from_child (n INTEGER)"))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    with sqlite_database.read() as session:
        assert session.execute(text("SELECT count(*) FROM from_child")).scalar_one() == 0
