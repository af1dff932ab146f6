"""The migrations make exactly the tables that the program works with."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

import gatekeeper.bootstrap  # noqa: F401 - knows every part, so every table is known afterwards
from approvals.tables import ApprovalBase
from gatekeeper.db.base import Base
from gatekeeper.db.schema import upgrade
from gatekeeper.db.session import Database


def test_a_migrated_database_is_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, [ApprovalBase.metadata, Base.metadata])
    assert differences == []


def test_every_rule_of_the_models_stands_in_the_migrated_database_too(database: Database) -> None:
    inspector = inspect(database.engine)
    for metadata in (ApprovalBase.metadata, Base.metadata):
        for table in metadata.sorted_tables:
            wanted = {str(c.name) for c in table.constraints if type(c).__name__ == "CheckConstraint"}
            found = {str(c["name"]) for c in inspector.get_check_constraints(table.name)}
            assert wanted <= found, table.name


def test_migrating_twice_changes_nothing(database: Database) -> None:
    with database.begin() as session:
        session.execute(
            text("INSERT INTO school_setting (key, value, changed_at) VALUES ('town', '\"Aldbourne\"', '2026-11-22')")
        )
    upgrade(database.url)
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM school_setting")).scalar_one() == 1
