"""`gatekeeper demo`: a whole invented school on this computer, with a mail page and simulated platforms.

Nothing leaves the computer, and nothing of a real installation is touched: of the environment every setting of
Gatekeeper is dropped first.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gatekeeper.errors import SettingsError
from gatekeeper.ops.demo_people import HOW_TO_SIGN_IN, PASSWORD, PIN, SCHOOL_NAME
from gatekeeper.ops.keys import bare_environment, ensure_keys
from gatekeeper.ops.kinship import bound_to_me
from gatekeeper.ops.programs import LEANED_ON, own_programs
from gatekeeper.ops.run import answers, only_one, queue_programs, say
from gatekeeper.ops.supervisor import Program, Supervisor
from gatekeeper.settings import load_settings

_MARK = ".gatekeeper-demo"
_LOOPBACK = "127.0.0.1"
_MAIL_PAGE, _TIMELINES = 8025, 8050


def demo(data: Path, *, port: int, fresh: bool) -> int:
    """Run the demo until Ctrl-C; a second start finds its data again.

    Raises:
        SettingsError: the folder is not a demo's, or another demo runs on it.
    """
    data = data.expanduser().resolve()
    _claim_folder(data)
    with only_one(data):
        if fresh:
            _empty(data)
        return _run(data, port)


def _run(data: Path, port: int) -> int:
    ports = _ports(port)
    env = _environment(data, ports)
    settings = load_settings("web", env)
    ensure_keys(settings, env)
    helpers = [*queue_programs(settings, env), *_helpers(data, env, ports)]
    supervisor = Supervisor(helpers, logs=data / "logs", tell=say)
    try:
        supervisor.start()
        ready = supervisor.keep(until=lambda: _listens(ports["timelines"]))
        if not (ready and _founded(supervisor, data, env)):
            return 1
        supervisor.add(own_programs(env))
        if supervisor.keep(until=lambda: answers(_LOOPBACK, ports["site"])):
            say(_box(data, ports))
            supervisor.keep()
    finally:
        supervisor.stop()
    say("The demo has stopped. Its data stay where they are.")
    return 0


def _claim_folder(data: Path) -> None:
    """Make the folder ours, so that starting over can never delete anything else."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = data / _MARK
    if not mark.exists():
        if any(data.iterdir()):
            raise SettingsError(f"{data} holds something else than a demo. Choose an empty folder with --data.")
        mark.touch()


def _empty(data: Path) -> None:
    for path in data.iterdir():
        if path.name in (_MARK, "supervisor.lock"):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _ports(wanted: int) -> dict[str, int]:
    taken: list[int] = []
    for name, first in (("site", wanted), ("mail page", _MAIL_PAGE), ("timelines", _TIMELINES)):
        taken.append(_free_port(first, but=taken))
        if taken[-1] != first and name == "site":
            say(f"Port {first} is taken; the site is at port {taken[-1]} instead.")
    taken.append(_free_port(0, but=taken))
    return dict(zip(("site", "mail page", "timelines", "smtp"), taken, strict=True))


def _free_port(first: int, *, but: Sequence[int]) -> int:
    """The first free port from there on; `localhost` may mean either loopback address, so both must be free."""
    for port in (*range(first, first + 50), 0) if first else (0,):
        if port in but:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_LOOPBACK, port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            if not _listens(found, "::1"):
                return found
    raise SettingsError(f"No free port was found from {first} on.")


def _listens(port: int, host: str = _LOOPBACK) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _environment(data: Path, ports: Mapping[str, int]) -> dict[str, str]:
    dropped = ("DATABASE_URL", "REDIS_URL", "PORT")
    env = {n: v for n, v in os.environ.items() if n not in dropped and not n.startswith("GATEKEEPER_")}
    env |= {
        "GATEKEEPER_DATA": str(data),
        "GATEKEEPER_DEMO": "1",
        "GATEKEEPER_PORT": str(ports["site"]),
        "GATEKEEPER_URL": f"http://localhost:{ports['site']}",
        "GATEKEEPER_SMTP_URL": f"smtp://{_LOOPBACK}:{ports['smtp']}",
        "GATEKEEPER_MAIL_FROM": f"{SCHOOL_NAME} <gatekeeper@merrowfold.example>",
        "GATEKEEPER_MAIL_PAGE": f"http://localhost:{ports['mail page']}",
        "GATEKEEPER_PLATFORM_URL": f"http://{_LOOPBACK}:{ports['timelines']}",
        "GATEKEEPER_SIMULATOR_PAGE": f"http://localhost:{ports['timelines']}",
    }
    return env


def _helpers(data: Path, env: Mapping[str, str], ports: Mapping[str, int]) -> list[Program]:
    bare = bare_environment(env)
    module = (sys.executable, "-m")
    timelines = ("--port", str(ports["timelines"]), "--folder", str(data / "simulator"))
    letters = ("--port", str(ports["mail page"]), "--smtp-port", str(ports["smtp"]), "--folder", str(data / "mail"))
    return [
        Program(
            name="simulator",
            command=(*module, "gatekeeper.simulator", *timelines),
            env=bare,
            stage=LEANED_ON,
            patience=0.5,
        ),
        Program(
            name="mailbox",
            command=(*module, "gatekeeper.ops.mailbox", *letters),
            env=bare,
            stage=LEANED_ON,
            patience=0.5,
        ),
    ]


def _founded(supervisor: Supervisor, data: Path, env: Mapping[str, str]) -> bool:
    """Have the school made, or its database brought up to date, by a process of its own."""
    log = data / "logs" / "founding.log"
    with log.open("ab") as sink:
        founding = subprocess.Popen(
            [sys.executable, "-m", "gatekeeper.ops.demo_school"],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            preexec_fn=bound_to_me(),  # noqa: PLW1509 - one prctl call, and this process has one thread
        )
    if not supervisor.keep(until=lambda: founding.poll() is not None):
        founding.send_signal(signal.SIGKILL)
        founding.wait()
        return False
    if founding.returncode:
        say(f"The demo school could not be made; {log} says why. `--fresh` starts over.")
    return founding.returncode == 0


def _box(data: Path, ports: Mapping[str, int]) -> str:
    width = max(len(who) for who, _ in HOW_TO_SIGN_IN)
    lines = [
        f"{SCHOOL_NAME} - a demo; every person in it is invented",
        "",
        f"Site          http://localhost:{ports['site']}",
        *(f"  {who:<{width}}  {email}" for who, email in HOW_TO_SIGN_IN),
        f"  Password for each: {PASSWORD}",
        f"  The headteacher's and the deputy's PIN for decisions: {PIN}",
        "  The deputy decides once the headteacher names her, under Deputies.",
        "",
        f"E-mails       http://localhost:{ports['mail page']}",
        f"Timelines     http://localhost:{ports['timelines']}",
        f"Photos to try {_short(data / 'sample-photos')}",
        "",
        "Stop          Ctrl-C (the data stay; `make demo ARGS=--fresh` starts over)",
    ]
    inner = max(map(len, lines))
    try:
        "┌─┐│└┘".encode(sys.stdout.encoding or "ascii")
        h, v, corners = "─", "│", "┌┐└┘"
    except (UnicodeEncodeError, LookupError):
        h, v, corners = "-", "|", "++++"
    body = "\n".join(f"{v} {line:<{inner}} {v}" for line in lines)
    return f"{corners[0]}{h * (inner + 2)}{corners[1]}\n{body}\n{corners[2]}{h * (inner + 2)}{corners[3]}"


def _short(path: Path) -> str:
    """The path as it is shortest from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
