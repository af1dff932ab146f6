"""`gatekeeper doctor`: looks at everything an installation leans on, and says what to do about what is wrong.

It changes nothing and sends nothing. Each look is by itself: one that fails hides no other.
"""

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from gatekeeper.clock import Clock
from gatekeeper.db.session import Database
from gatekeeper.errors import GatekeeperError, SettingsError
from gatekeeper.ops import doctor_database, doctor_outside
from gatekeeper.ops.doctor_report import Check, State, advice, ok, wrong
from gatekeeper.ops.nightly import last_backup
from gatekeeper.settings import SECRETS, Settings, load_settings

_FREE_ENOUGH, _FREE_TOO_LITTLE = 2_000_000_000, 200_000_000  # bytes
_SIGNS = {State.OK: "✓", State.ADVICE: "!", State.WRONG: "✕"}
_BACKUP_AGE = timedelta(hours=50)
_NETWORK_DISKS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p"})


@dataclass(frozen=True, kw_only=True)
class Patient:
    """The installation that is looked at: what each process would be told."""

    settings: Settings
    of_process: Mapping[str, Settings]


def doctor(environ: Mapping[str, str], *, clock: Clock, as_json: bool, tell: Callable[[str], None]) -> int:
    """Look at everything and say what was found; 1 when something is wrong, else 0."""
    checks = list(examine(environ, clock=clock))
    for check in checks:
        if as_json:
            tell(json.dumps({**asdict(check), "state": str(check.state)}, ensure_ascii=False))
        else:
            tell(f"{_SIGNS[check.state]} {check.name:<10} {check.sentence}")
            if check.do:
                tell(f"{'':13}{check.do}")
    ill = sum(check.state is State.WRONG for check in checks)
    if not as_json:
        tell("Nothing is wrong." if not ill else f"{ill} of {len(checks)} looks found something wrong.")
    return 1 if ill else 0


def examine(environ: Mapping[str, str], *, clock: Clock) -> Iterator[Check]:
    """Every look in turn. What cannot be looked at, because something before it is wrong, is left out."""
    try:
        settings = load_settings("doctor", environ)
    except SettingsError as err:
        yield wrong("settings", str(err), "Put this setting right; nothing else can be looked at before.")
        return
    yield ok("settings", f"Staff reach it at {settings.public_url}.")
    of_process: dict[str, Settings] = {}
    yield from _keys(environ, of_process)
    yield from _disk(settings)
    yield _backup(settings, now=clock.now())
    database = Database(settings.database_url)
    try:
        yield from doctor_database.look(settings, database, of_process, clock=clock)
    except SQLAlchemyError as err:
        address = make_url(settings.database_url).render_as_string(hide_password=True)
        do = "Start the database, or run: gatekeeper release"
        yield wrong("database", f"{address} cannot be asked ({type(err).__name__}).", do)
    finally:
        database.engine.dispose()
    yield from doctor_outside.look(settings, of_process, clock=clock)


def _keys(environ: Mapping[str, str], of_process: dict[str, Settings]) -> Iterator[Check]:
    """Whether every process finds its own secrets, and nobody else does."""
    missing: list[str] = []
    for process, names in SECRETS.items():
        try:
            told = load_settings(process, environ)
        except SettingsError as err:
            yield wrong("keys", str(err))
            continue
        of_process[process] = told
        missing += [name for name in names if not told.secrets.get(name) and name not in missing]
    if missing:
        named = ", ".join(f"GATEKEEPER_{name}" for name in missing)
        yield wrong("keys", f"Nowhere to be found: {named}.", "Set them, or run this where Gatekeeper runs.")
    elif len(of_process) == len(SECRETS):
        yield ok("keys", "Every process finds its secrets, and others cannot read them.")


def _disk(settings: Settings) -> Iterator[Check]:
    data = settings.data
    if not data.is_dir():
        yield wrong("disk", f"There is no folder {data}.", "Set GATEKEEPER_DATA, or run: gatekeeper release")
        return
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & 0o077:
        yield wrong("disk", f"{data} can be read by others on this computer.", f"Run: chmod 700 {data}")
    if not os.access(data, os.W_OK | os.X_OK):
        yield wrong("disk", f"{data} cannot be written to.", "Is it owned by the account that runs Gatekeeper?")
    kind = _file_system(data)
    if kind in _NETWORK_DISKS and settings.database_url.startswith("sqlite"):
        do = "Move the data folder to a disk of this computer, or use PostgreSQL."
        yield wrong("disk", f"{data} lies on a network disk ({kind}), where SQLite can lose what it wrote.", do)
    free = shutil.disk_usage(data).free
    told = f"{free / 1e9:.1f} GB are free on the disk of {data}."
    if free < _FREE_TOO_LITTLE:
        yield wrong("disk", told, "Make room now: without any, nothing can be approved or published.")
    elif free < _FREE_ENOUGH:
        yield advice("disk", told, "Make room soon.")
    else:
        yield ok("disk", told)


def _backup(settings: Settings, *, now: datetime) -> Check:
    last = last_backup(settings)
    if last is None:
        return advice("backup", f"There is none in {settings.backups}.", "Run: gatekeeper backup")
    told = f"The last one was made on {last:%d.%m.%Y at %H:%M} UTC."
    if now - last > _BACKUP_AGE:
        return wrong(
            "backup", told, "Is the nightly process running? Look at logs/nightly.log, or run: gatekeeper backup"
        )
    return ok("backup", told)


def _file_system(path: Path) -> str:
    """The kind of the file system a path lies on, where the machine tells."""
    mounts = Path("/proc/mounts")
    best, kind = "", ""
    for line in mounts.read_text().splitlines() if mounts.exists() else ():
        _, place, found, *_ = line.split()
        place = place.replace("\\040", " ")
        if path.is_relative_to(place) and len(place) >= len(best):
            best, kind = place, found
    return kind


def doctor_command(*, data: Path | None, as_json: bool) -> int:
    """The command as it is typed.

    Raises:
        GatekeeperError: the folder that was named is none.
    """
    from gatekeeper.clock import SystemClock

    environ = dict(os.environ)
    if data is not None:
        if not data.is_dir():
            raise GatekeeperError(f"There is no folder {data}.")
        environ["GATEKEEPER_DATA"] = str(data)
    return doctor(environ, clock=SystemClock(), as_json=as_json, tell=print)
