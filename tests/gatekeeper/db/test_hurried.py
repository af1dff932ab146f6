"""A transaction in a hurry gives up within a moment and leaves its connection as patient as it found it."""

import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gatekeeper.db.session import Database


def test_who_is_in_a_hurry_gives_up_at_once_while_somebody_writes(sqlite_database: Database) -> None:
    with sqlite_database.begin() as writing:
        writing.execute(text("SELECT 1"))
        begun = time.monotonic()
        with pytest.raises(OperationalError, match="locked"), sqlite_database.begin(hurried=True) as session:
            session.execute(text("SELECT 1"))
        assert time.monotonic() - begun < 5  # the patient wait is thirty
    with sqlite_database.begin(hurried=True) as session:
        assert session.scalar(text("PRAGMA busy_timeout")) == 30_000
