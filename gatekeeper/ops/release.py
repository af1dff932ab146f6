"""Brings the database to the schema of this release, with a copy of the old one kept beside it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

import gatekeeper.db
from gatekeeper.bootstrap import prepare
from gatekeeper.clock import Clock
from gatekeeper.db.session import make_engine
from gatekeeper.errors import SettingsError
from gatekeeper.ops.ledger_keys import settle_rotation
from gatekeeper.settings import Settings

_KEPT = 5


def release(settings: Settings, *, clock: Clock, tell: Callable[[str], None]) -> None:
    """Upgrade the schema if it is behind. SQLite is copied first; PostgreSQL is backed up by whoever runs it.

    A change of the ledger's key that was cut short is finished or undone as well.

    Raises:
        SettingsError: the database cannot be reached or upgraded.
    """
    url = make_url(settings.database_url)
    try:
        if url.get_backend_name() == "sqlite" and url.database and Path(url.database).exists():
            present = _revision(settings.database_url)
            if present and present != newest_revision():
                copy = settings.data / "backups" / f"before-upgrade-{clock.now():%Y%m%d-%H%M%S}.db"
                _copy(Path(url.database), copy)
                tell(f"The database was copied to {copy} before its upgrade.")
        prepare(settings)
    except (SQLAlchemyError, sqlite3.Error, OSError) as err:
        # the library's own text may quote a password out of the address
        raise SettingsError(
            f"The database {url.render_as_string(hide_password=True)} cannot be used ({type(err).__name__})."
        ) from err
    settle_rotation(settings)


def _revision(url: str) -> str | None:
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def newest_revision() -> str | None:
    """The schema that this release works with."""
    return ScriptDirectory(str(Path(gatekeeper.db.__path__[0]) / "migrations")).get_current_head()


def _copy(source: Path, target: Path) -> None:
    """A consistent copy, also while others write; only the last few are kept."""
    target.parent.mkdir(mode=0o700, exist_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    target.chmod(0o600)
    for outdated in sorted(target.parent.glob("before-upgrade-*.db"))[:-_KEPT]:
        outdated.unlink()
