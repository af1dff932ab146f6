"""The approval room on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from sqlalchemy import make_url, text

from approvals import proofs
from approvals.tables import ApprovalBase
from approvals.triggers import triggers
from gatekeeper.db.session import Database, make_engine
from tests.approvals.room import Clock, Room
from tests.fixtures.signing import SIGNER


@pytest.fixture(params=["sqlite", "postgresql"])
def room(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Room]:
    if request.param == "sqlite":
        yield from _furnished(f"sqlite:///{tmp_path / 'school.db'}", clock)
        return
    server: str = request.getfixturevalue("postgres_url")
    schema = f"approvals_{uuid4().hex}"
    outside = make_engine(server)
    with outside.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    try:
        address = make_url(server).update_query_dict({"options": f"-csearch_path={schema}"})
        yield from _furnished(address.render_as_string(hide_password=False), clock)
    finally:
        with outside.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        outside.dispose()


def _furnished(url: str, clock: Clock) -> Iterator[Room]:
    db = Database(url, signer=SIGNER)
    with db.begin() as session:  # one transaction for all of it, because there is one room for each test
        ApprovalBase.metadata.create_all(session.connection(), checkfirst=False)
        for statement in triggers(db.engine.dialect.name):
            session.execute(text(statement))
    yield Room(db, clock)
    db.engine.dispose()


@pytest.fixture
def full_strength(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hasher that the product uses, in place of the quick one of the tests."""
    monkeypatch.setattr(proofs, "_HASHER", PasswordHasher())
