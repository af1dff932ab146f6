"""The approval room on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from approvals import proofs
from approvals.tables import ApprovalBase
from approvals.triggers import triggers
from gatekeeper.db.session import Database
from tests.approvals.room import Clock, Room
from tests.fixtures.fresh import FreshDatabases
from tests.fixtures.signing import SIGNER


def _furnish(url: str) -> None:
    db = Database(url, signer=SIGNER)
    with db.begin() as session:
        ApprovalBase.metadata.create_all(session.connection(), checkfirst=False)
        for statement in triggers(db.engine.dialect.name):
            session.execute(text(statement))
    db.engine.dispose()


@pytest.fixture(scope="session")
def _sqlite_room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("room") / "school.db"
    _furnish(f"sqlite:///{path}")
    assert not path.with_name("school.db-wal").exists(), "the copy would miss what still stands in the log"
    return path


@pytest.fixture(scope="session")
def _postgresql_rooms(postgres_url: str) -> Iterator[FreshDatabases]:
    rooms = FreshDatabases(postgres_url, "approvals", furnish=_furnish)
    yield rooms
    rooms.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def room(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Room]:
    if request.param == "sqlite":
        path = shutil.copyfile(request.getfixturevalue("_sqlite_room"), tmp_path / "school.db")
        yield from _entered(f"sqlite:///{path}", clock)
        return
    rooms: FreshDatabases = request.getfixturevalue("_postgresql_rooms")
    url = rooms.take()
    yield from _entered(url, clock)
    rooms.take_back(url)


def _entered(url: str, clock: Clock) -> Iterator[Room]:
    db = Database(url, signer=SIGNER)
    yield Room(db, clock)
    db.engine.dispose()


@pytest.fixture
def full_strength(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hasher that the product uses, in place of the quick one of the tests."""
    monkeypatch.setattr(proofs, "_HASHER", PasswordHasher())
