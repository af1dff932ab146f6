"""`gatekeeper backup`: the database and the pictures, copied while everything runs, and opened to see that they are good.

Each backup is a folder named by its moment, with the database and a manifest; the pictures lie beside them once, by
their digest, for all backups together. Keys are in none: whoever finds a backup can neither sign for the school nor
post in its name.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from approvals import ledger_check
from gatekeeper.clock import Clock
from gatekeeper.db.session import Database
from gatekeeper.errors import GatekeeperError
from gatekeeper.settings import Settings

KEPT = 14
MANIFEST, MEDIA = "manifest.json", "media"
_SQLITE, _DUMP = "gatekeeper.db", "database.dump"
_NAME = "%Y%m%d-%H%M%S"
_SIGNS_OF_A_DIGEST = 64


class BackupFailed(GatekeeperError):
    """No good backup could be made; the older ones are untouched. The sentence says why."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup holds. `media` are paths below the folder of pictures; each name begins with its digest."""

    format: int
    taken_at: str
    database: str
    database_sha256: str
    entries: int
    head: str
    media: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest of one backup.

        Raises:
            GatekeeperError: there is none, or it cannot be understood.
        """
        try:
            told: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
            made = cls(**{**told, "media": tuple(told["media"])})
        except OSError as err:
            raise GatekeeperError(f"{folder} is no whole backup: it has no {MANIFEST}.") from err
        except (ValueError, TypeError, KeyError) as err:
            raise GatekeeperError(f"{folder / MANIFEST} cannot be understood.") from err
        if made.format != 1 or any(Path(name).is_absolute() or ".." in Path(name).parts for name in made.media):
            raise GatekeeperError(f"{folder / MANIFEST} cannot be understood.")
        return made

    @property
    def moment(self) -> datetime:
        """When it was taken."""
        return datetime.fromisoformat(self.taken_at)


def backup(settings: Settings, target: Path, *, clock: Clock, keep: int = KEPT) -> Path:
    """Make one backup below `target`, open it, and let go of all but the newest `keep`.

    Raises:
        BackupFailed: it could not be made, or what was made is not good.
    """
    now = clock.now()
    final = target / now.strftime(_NAME)
    part = final.with_name(f"{final.name}.part")
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        database = _copy_database(make_url(settings.database_url), part)
        media = _copy_media(settings.media, target / MEDIA)
        entries, head = _opened(database, settings)
        manifest = Manifest(
            format=1,
            taken_at=now.isoformat(),
            database=database.name,
            database_sha256=file_digest(database),
            entries=entries,
            head=head,
            media=tuple(media),
        )
        _write(part / MANIFEST, json.dumps(asdict(manifest), indent=1))
        part.rename(final)
        _sync(target)
    except (OSError, sqlite3.Error) as err:
        raise BackupFailed(f"The backup could not be written to {target}: {_why(err)}.") from err
    finally:
        shutil.rmtree(part, ignore_errors=True)
    _let_go(target, keep)
    return final


def backups(target: Path) -> list[Path]:
    """Every whole backup below this folder, oldest first."""
    return sorted(path.parent for path in target.glob(f"*/{MANIFEST}")) if target.is_dir() else []


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def postgres_tool(name: str, url: URL, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs on a database; the password travels in the environment alone.

    Raises:
        BackupFailed: it is not installed, or it refused.
    """
    program = shutil.which(name)
    if program is None:
        raise BackupFailed(
            f"{name} is not installed here. Install PostgreSQL's client programs of the server's version."
        )
    env = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG", "LC_ALL"}}
    told = {"PGHOST": url.host or url.query.get("host"), "PGPORT": url.port, "PGUSER": url.username}
    told |= {"PGPASSWORD": url.password, "PGDATABASE": url.database, "PGSSLMODE": url.query.get("sslmode")}
    env |= {key: str(value) for key, value in told.items() if value}
    done = subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        raise BackupFailed(f"{name} refused: {last[0]}")


def _copy_database(url: URL, folder: Path) -> Path:
    if url.get_backend_name() != "sqlite":
        path = folder / _DUMP
        postgres_tool("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={path}")
        path.chmod(0o600)
        _sync(path)
        return path
    path = folder / _SQLITE
    source = Path(str(url.database))
    if not source.is_file():
        raise BackupFailed(f"There is no database at {source}.")
    path.touch(mode=0o600)
    # one consistent moment, while others go on writing
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(path)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    _sync(path)
    return path


def _copy_media(source: Path, target: Path) -> list[str]:
    """Copy every picture that is not there yet; what is there already is the same, because its name is its digest."""
    names = []
    for path in _pictures(source):
        name = path.relative_to(source).as_posix()
        there = target / name
        if not there.is_file() or there.stat().st_size != path.stat().st_size:
            there.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = there.with_name(f"{there.name}.part")
            try:
                shutil.copyfile(path, part)
            except FileNotFoundError:
                continue  # removed meanwhile: nobody refers to it any more
            if file_digest(part) != path.name[:_SIGNS_OF_A_DIGEST]:
                part.unlink()
                raise BackupFailed(
                    f"The picture {path} was changed on the disk. Restore it from an older backup, or remove its post."
                )
            part.chmod(0o600)
            _sync(part)
            part.rename(there)
        names.append(name)
    return sorted(names)


def _pictures(source: Path) -> Iterator[Path]:
    return (
        (path for path in source.glob("??/??/*.*") if len(path.stem) == _SIGNS_OF_A_DIGEST)
        if source.is_dir()
        else iter(())
    )


def _opened(database: Path, settings: Settings) -> tuple[int, str]:
    """Open the copy as a restore would, and say how far its ledger goes."""
    if database.name == _DUMP:
        listed = subprocess.run(["pg_restore", "--list", str(database)], capture_output=True, text=True, check=False)
        if listed.returncode or "TABLE DATA public ledger" not in listed.stdout:
            raise BackupFailed("The dump that pg_dump wrote cannot be read again.")
        return _ledger_of(Database(settings.database_url), settings)
    with closing(sqlite3.connect(database)) as copy:
        found = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"]:
        raise BackupFailed(f"The copied database is damaged: {found[0]}.")
    return _ledger_of(Database(f"sqlite:///{database}"), settings)


def _ledger_of(opened: Database, settings: Settings) -> tuple[int, str]:
    try:
        with opened.read() as session:
            found = ledger_check.verify(session, keys=settings.ledger_public or None)
    except SQLAlchemyError as err:
        raise BackupFailed(f"The ledger in the copy cannot be read ({type(err).__name__}).") from err
    finally:
        opened.engine.dispose()
        if opened.is_sqlite:
            _forget_journal(Path(opened.url.removeprefix("sqlite:///")))
    if not found.ok:
        raise BackupFailed(f"The ledger is not as it was written: {found.reason}")
    return found.entries, found.head


def _forget_journal(database: Path) -> None:
    """Fold the journal that opening began back into the file, so that the file alone is the whole copy."""
    with closing(sqlite3.connect(database)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")


def _let_go(target: Path, keep: int) -> None:
    """Remove outdated backups, and the pictures that no kept one holds."""
    for outdated in backups(target)[: -max(1, keep)]:
        (outdated / MANIFEST).unlink()  # first: half a backup must not pass for a whole one
        shutil.rmtree(outdated, ignore_errors=True)
    held = {name for folder in backups(target) for name in Manifest.read(folder).media}
    for path in _pictures(target / MEDIA):
        if path.relative_to(target / MEDIA).as_posix() not in held:
            path.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _why(err: Exception) -> str:
    return str(err.strerror or err) if isinstance(err, OSError) else str(err)


def backup_command(
    settings: Settings, *, target: Path | None, keep: int, clock: Clock, tell: Callable[[str], None]
) -> Sequence[Path]:
    """Make one and say where it is.

    Raises:
        BackupFailed: as `backup`.
    """
    made = backup(settings, target or settings.backups, clock=clock, keep=keep)
    held = Manifest.read(made)
    tell(f"{made}: {held.entries:,} ledger entries, {len(held.media):,} pictures. It was opened and is whole.")
    tell(f"The keys are not in it. Keep {settings.keys} elsewhere, apart from the backups.")
    return [made]
