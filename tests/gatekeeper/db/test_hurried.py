"""A transaction in a hurry gives up within a moment and leaves its connection as patient as it found it."""

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gatekeeper.db.session import Database


def test_who_is_in_a_hurry_gives_up_before_who_waits_patiently(sqlite_database: Database) -> None:
    waits, came_in = threading.Event(), threading.Event()

    def patiently() -> None:
        waits.set()
        with sqlite_database.begin() as session:
            session.execute(text("SELECT 1"))
            came_in.set()

    patient = threading.Thread(target=patiently)
    with sqlite_database.begin() as writing:
        writing.execute(text("SELECT 1"))
        patient.start()
        waits.wait(10)
        with pytest.raises(OperationalError, match="locked"), sqlite_database.begin(hurried=True) as session:
            session.execute(text("SELECT 1"))
        assert not came_in.is_set()
    patient.join(60)
    assert came_in.is_set()  # it had not given up where the other did
    with sqlite_database.begin(hurried=True) as session:
        assert session.scalar(text("PRAGMA busy_timeout")) == 30_000
