"""`gatekeeper restore`: puts a backup into an empty data folder, and sees to it that nothing is sent a second time.

The backup is checked whole before anything is written. The database takes its place last, after everything that keeps
posts from going out again has been written into it: cut short at any point, there is no database, and one starts anew.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from sqlalchemy import inspect, make_url
from sqlalchemy.exc import SQLAlchemyError

from gatekeeper.bootstrap import build_services
from gatekeeper.clock import Clock
from gatekeeper.db.schema import upgrade
from gatekeeper.db.session import Database
from gatekeeper.errors import GatekeeperError, SettingsError
from gatekeeper.ops.backup import MEDIA, Manifest, file_digest, postgres_tool
from gatekeeper.ops.run import only_one
from gatekeeper.settings import load_settings
from gatekeeper.workflow import restoration

_DIGEST = 64


def restore(source: Path, environ: Mapping[str, str], *, clock: Clock, tell: Callable[[str], None]) -> int:
    """Restore one backup into the data folder of the settings; says how many posts have to be looked up.

    Raises:
        GatekeeperError: the backup is not whole, the folder is not empty, or the ledger's key is not there.
    """
    settings = load_settings("users", environ)  # who may write into the ledger by command
    manifest = Manifest.read(source)
    if not settings.secrets.get("LEDGER_KEY"):
        raise SettingsError(
            f"The ledger's key is not there. Put the kept keys into {settings.keys} first, or set GATEKEEPER_LEDGER_KEY."
        )
    _check_whole(source, manifest)
    with only_one(settings.data):
        _check_empty(settings.media, settings.database_url)
        _bring_media(source, manifest, settings.media)
        url = make_url(settings.database_url)
        try:
            if url.get_backend_name() != "sqlite":
                postgres_tool(
                    "pg_restore",
                    url,
                    "--no-owner",
                    "--no-privileges",
                    "--exit-on-error",
                    "--single-transaction",
                    f"--dbname={url.database}",
                    str(source / manifest.database),
                )
                return _settle(settings.database_url, settings.data, environ, manifest, clock=clock, tell=tell)
            final = Path(str(url.database))
            part = final.with_name(f"{final.name}.restoring")
            part.unlink(missing_ok=True)
            part.touch(mode=0o600)
            shutil.copyfile(source / manifest.database, part)
            looked_up = _settle(f"sqlite:///{part}", settings.data, environ, manifest, clock=clock, tell=tell)
            _one_file(part)
            part.rename(final)
        except (SQLAlchemyError, OSError) as err:
            raise GatekeeperError(f"The database could not be put back ({type(err).__name__}).") from err
        else:
            return looked_up


def _check_whole(source: Path, manifest: Manifest) -> None:
    database = source / manifest.database
    if not database.is_file() or file_digest(database) != manifest.database_sha256:
        raise GatekeeperError(f"{database} is not as it was written. Use another backup.")
    for name in manifest.media:
        picture = source.parent / MEDIA / name
        if not picture.is_file() or file_digest(picture) != picture.name[:_DIGEST]:
            raise GatekeeperError(f"{picture} is missing or not as it was written. Use another copy of the backups.")


def _check_empty(media: Path, database_url: str) -> None:
    url = make_url(database_url)
    if any(media.rglob("*.*")) if media.is_dir() else False:
        raise GatekeeperError(f"{media} already holds pictures. Restore into an empty data folder.")
    if url.get_backend_name() == "sqlite":
        if Path(str(url.database)).exists():
            raise GatekeeperError(f"{url.database} is there already. Restore into an empty data folder.")
        return
    database = Database(database_url)
    try:
        present = inspect(database.engine).get_table_names()
    except SQLAlchemyError as err:
        address = url.render_as_string(hide_password=True)
        raise GatekeeperError(f"{address} cannot be asked ({type(err).__name__}).") from err
    finally:
        database.engine.dispose()
    if present:
        raise GatekeeperError("The database already has tables. Restore into an empty one.")


def _bring_media(source: Path, manifest: Manifest, media: Path) -> None:
    media.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in manifest.media:
        target = media / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(source.parent / MEDIA / name, target)
        target.chmod(0o600)


def _settle(
    database_url: str,
    data: Path,
    environ: Mapping[str, str],
    manifest: Manifest,
    *,
    clock: Clock,
    tell: Callable[[str], None],
) -> int:
    """Bring the schema up to date and stop all sending, before anybody can open the database."""
    upgrade(database_url)
    settings = replace(load_settings("users", {**environ, "GATEKEEPER_DATA": str(data)}), database_url=database_url)
    services = build_services(settings, clock=clock)
    try:
        with services.db.begin() as session:
            looked_up = restoration.begin(session, taken_at=manifest.moment, now=clock.now())
    finally:
        services.db.engine.dispose()
    tell(f"The school stands as it did on {manifest.moment:%d.%m.%Y at %H:%M} UTC.")
    tell(f"{looked_up} posts were due since and are looked up on their channels once Gatekeeper runs.")
    tell("Nothing is sent until the headteacher lets it go on: sign in and open Sending.")
    return looked_up


def _one_file(path: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
