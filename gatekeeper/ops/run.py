"""`gatekeeper run`: everything a school needs, in one command, until Ctrl-C."""

import fcntl
import http.client
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gatekeeper.clock import SystemClock
from gatekeeper.errors import SettingsError
from gatekeeper.ops.keys import ensure_keys
from gatekeeper.ops.programs import nightly_program, own_programs, queue_program
from gatekeeper.ops.supervisor import Program, Supervisor
from gatekeeper.settings import Settings, load_settings

_NO_QUEUE = "No Valkey or Redis was found: the workers look for work in the database, a moment slower."
_PROXY = (
    "Staff reach Gatekeeper over https, so a web server passes their requests on: set GATEKEEPER_TRUSTED_PROXIES=1, "
    "and let that web server send Host, X-Forwarded-For, X-Forwarded-Host and X-Forwarded-Proto and take 30 MB."
)


def say(line: str) -> None:
    """One line to the person at the terminal."""
    print(line, flush=True)


def run(environ: Mapping[str, str] | None = None) -> int:
    """Run the school's Gatekeeper until it is told to stop.

    Raises:
        SettingsError: it cannot start as it is configured; the text names the setting.
    """
    from gatekeeper.bootstrap import check_ledger_key
    from gatekeeper.ops.release import release  # brings in every library; the demo's supervisor stays small without

    env = dict(os.environ if environ is None else environ)
    settings = load_settings("web", env)
    if settings.secure and not settings.trusted_proxies:
        raise SettingsError(_PROXY)
    check_free(settings.host, settings.port)
    env["GATEKEEPER_DATA"] = str(settings.data)
    with only_one(settings.data):
        ensure_keys(settings, env)
        release(settings, clock=SystemClock(), tell=say)
        check_ledger_key(load_settings("web", env))
        programs = [*queue_programs(settings, env), *own_programs(env), nightly_program(env)]
        supervisor = Supervisor(programs, logs=settings.data / "logs", tell=say)
        try:
            supervisor.start()
            if supervisor.keep(until=lambda: answers(settings.host, settings.port)):
                say(f"Gatekeeper answers at {settings.public_url} - stop it with Ctrl-C.")
                supervisor.keep()
        finally:
            supervisor.stop()
    say("Gatekeeper has stopped.")
    return 0


def queue_programs(settings: Settings, env: dict[str, str]) -> list[Program]:
    """The embedded queue, unless the school has one of its own or there is none; tells `env` where it is."""
    if env.get("REDIS_URL") or env.get("GATEKEEPER_REDIS_URL"):
        return []
    embedded = queue_program(settings, env)
    if embedded is None:
        say(_NO_QUEUE)
        return []
    server, env["REDIS_URL"] = embedded
    return [server]


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold the data folder: two supervisors would start every process twice.

    Raises:
        SettingsError: another one holds it.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data / "supervisor.lock").open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)  # goes with the process, however it ends
        except BlockingIOError:
            held.seek(0)
            raise SettingsError(
                f"Gatekeeper is already running on {data} (process {held.read().strip() or 'unknown'}). Stop it first."
            ) from None
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield


def check_free(host: str, port: int) -> None:
    """Say before anything starts that the port is taken.

    Raises:
        SettingsError: it is, or the address is none of this computer's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":  # as the server itself does: a port just left is not a port taken
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as err:
            raise SettingsError(
                f"Cannot listen on {host} port {port}: {err.strerror}. Set PORT to another number, or stop what is there."
            ) from err


def answers(host: str, port: int) -> bool:
    """Whether the site answers there, whatever it says."""
    connection = http.client.HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=2)  # noqa: S104 - compared, not bound
    try:
        connection.request("GET", "/signin")
        return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except OSError:
        return False
    finally:
        connection.close()
