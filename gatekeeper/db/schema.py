"""Brings a database to the newest schema, on SQLite and PostgreSQL alike."""

from pathlib import Path

from gatekeeper.db.session import make_engine

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Run every migration that has not run yet, in one transaction: all of it or nothing."""
    from alembic import command  # a tenth of a process's start, and most never migrate
    from alembic.config import Config

    engine = make_engine(url)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
