"""The `gatekeeper` command. Errors are one line for a person; the exit codes are those a script can rely on.

Every part is imported only when it is asked for, so that `--help` answers at once and a scan does not load the web.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from gatekeeper.errors import BadInput, GatekeeperError
from gatekeeper.ops.drill.command import add_drill
from gatekeeper.ops.evidence_command import add_evidence
from gatekeeper.ops.subject_access_command import add_subject_access

DONE, FAILED, WRONG_ARGUMENTS = 0, 1, 2

_QUEUES = ("scan", "mail", "platform")
_ROLES = ("author", "line_manager", "headteacher", "deputy", "consent_lead", "administrator", "auditor")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked and say how it went by the exit code."""
    asked = _parser().parse_args(arguments)
    action: Callable[[argparse.Namespace], int] = asked.action
    try:
        return action(asked)
    except BadInput as err:
        return _refuse(err, WRONG_ARGUMENTS)
    except GatekeeperError as err:
        return _refuse(err, FAILED)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader has gone (`| head`): say nothing more, and let nothing more be said at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _refuse(err: GatekeeperError, code: int) -> int:
    print(f"gatekeeper: {' '.join(str(err).split())}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gatekeeper",
        description="Every post of the school is scanned, approved in writing, and published once.",
        epilog="The settings come from the environment; see the installation page of the documentation.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_servers(commands)
    _add_scripting(commands)
    _add_accounts(commands)
    add_evidence(commands)
    add_subject_access(commands)
    add_drill(commands)
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    action: Callable[[argparse.Namespace], int],
    words: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
    command.set_defaults(action=action)
    return command


def _add_servers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    _add(commands, "run", _run, "run everything for the school until Ctrl-C")
    demo = _add(commands, "demo", _demo, "run a throw-away school with simulated platforms")
    demo.add_argument("--fresh", action="store_true", help="throw the old demo school away first")
    demo.add_argument("--data", type=Path, default=Path("data/demo"), help="its folder (default: data/demo)")
    demo.add_argument("--port", type=int, default=8000, help="port of the site (default: 8000)")
    _add(commands, "web", _web, "run the web process alone")
    worker = _add(commands, "worker", _worker, "run one worker alone")
    worker.add_argument("queue", choices=_QUEUES, help="whose work it does")
    _add(commands, "publisher", _publisher, "run the publisher alone")
    _add(commands, "release", _release, "bring the database to this release's schema")
    make = _add(commands, "backup", _backup, "copy the database and the pictures, and open the copy")
    make.add_argument("--to", metavar="DIR", type=Path, help="default: GATEKEEPER_BACKUPS, else in the data folder")
    make.add_argument("--keep", metavar="N", type=int, default=14, help="how many to keep (default: 14)")
    back = _add(commands, "restore", _restore, "put a backup into an empty data folder; nothing is sent a second time")
    back.add_argument("backup", metavar="BACKUP", type=Path, help="the folder of one backup, such as 20261123-023000")
    back.add_argument("--data", metavar="DIR", type=Path, help="the empty data folder (default: as in the settings)")
    _add(commands, "nightly", _nightly, "make a backup each night until it is told to stop")
    doctor = _add(commands, "doctor", _doctor, "look at everything it leans on and say what to do about what is wrong")
    doctor.add_argument("--data", metavar="DIR", type=Path, help="the data folder (default: as in the settings)")
    doctor.add_argument("--json", action="store_true", help="one JSON object a line")
    units = _add(commands, "units", _units, "print systemd units for this installation")
    units.add_argument("--data", metavar="DIR", type=Path, default=Path("/var/lib/gatekeeper"), help="the data folder")
    units.add_argument("--user", default="gatekeeper", help="the account it runs as (default: gatekeeper)")
    units.add_argument("--split", action="store_true", help="one unit for each process, each with its own secrets")
    units.add_argument("--to", metavar="DIR", type=Path, help="write them here instead of printing them")
    _add(commands, "bounced", _bounced, "take in a mail server's report about undelivered mail, from standard input")


def _add_scripting(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    scan = _add(commands, "scan", _scan, "find the faces in photos; needs no server")
    scan.add_argument("photos", metavar="PHOTO", nargs="+", type=Path)
    scan.add_argument(
        "--gallery", metavar="DIR", type=Path, help="compare each face with one folder of photos per person"
    )
    scan.add_argument("--json", action="store_true", help="one JSON object a line")
    check = _add(commands, "check", _check, "check posts' words against the policy; needs no server")
    check.add_argument("posts", metavar="POSTS.jsonl", type=Path)
    check.add_argument("--roster", metavar="CSV", type=Path, required=True)
    check.add_argument("--staff", metavar="CSV", type=Path, required=True)
    check.add_argument("--school", metavar="JSON", type=Path, required=True)
    check.add_argument("--json", action="store_true", help="one JSON object a line")
    sanitise = _add(commands, "sanitise", _sanitise, "write the publishable rendition of a photo; needs no server")
    sanitise.add_argument("source", metavar="IN", type=Path)
    sanitise.add_argument("target", metavar="OUT", type=Path)


def _add_accounts(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    users = commands.add_parser("users", help="staff accounts")
    add = _add(users.add_subparsers(metavar="COMMAND", required=True), "add", _add_user, "add a member of staff")
    add.add_argument("--name", required=True)
    add.add_argument("--email", required=True)
    add.add_argument("--role", choices=_ROLES, default="administrator", help="default: administrator")
    add.epilog = "The password is asked for, or read from standard input."
    ledger = commands.add_parser("ledger", help="the record of decisions")
    verify = _add(
        ledger.add_subparsers(metavar="COMMAND", required=True),
        "verify",
        _verify_ledger,
        "read the whole ledger and say whether every entry is as it was written",
    )
    verify.add_argument("--data", metavar="DIR", type=Path, help="the data folder (default: as in the settings)")
    verify.add_argument("--since", metavar="SEQ|DATE", help="read from this entry or this day on, which is faster")
    verify.add_argument("--anchor", metavar="HASH", help="a hash from an e-mail or a receipt, which must be an entry's")
    verify.add_argument(
        "--key", metavar="FILE", type=Path, help="the list of keys to believe (default: keys/ledger.pub)"
    )
    keys = commands.add_parser("keys", help="the keys of this installation")
    kinds = keys.add_subparsers(metavar="COMMAND", required=True)
    words = "put a new key of the face templates in front of the old ones"
    _add(kinds, "rotate-templates", _rotate_templates, words)
    _add(kinds, "rotate-seal", _rotate_seal, "seal the channels' keys with a new pair; stop Gatekeeper first")
    _add(kinds, "rotate-ledger", _rotate_ledger, "hand the ledger to a new key; stop Gatekeeper first")


def _run(_asked: argparse.Namespace) -> int:
    from gatekeeper.ops.run import run

    return run()


def _demo(asked: argparse.Namespace) -> int:
    from gatekeeper.ops.demo import demo

    return demo(asked.data, port=asked.port, fresh=asked.fresh)


def _web(_asked: argparse.Namespace) -> int:
    from gatekeeper.bootstrap import build_services
    from gatekeeper.log import configure_logging
    from gatekeeper.ops.keys import strip_of_others
    from gatekeeper.ops.serve import serve
    from gatekeeper.settings import load_settings
    from gatekeeper.web.app import create_app

    configure_logging("web")
    strip_of_others("web", os.environ)
    settings = load_settings("web")
    application = create_app(build_services(settings))
    serve(application, host=settings.host, port=settings.port, behind_proxy=bool(settings.trusted_proxies))
    sys.stderr.flush()
    os._exit(DONE)  # every answer is out; taking the interpreter apart would only cost the stop its time


def _worker(asked: argparse.Namespace) -> int:
    _become(asked.queue, "workers.process", asked.queue)


def _publisher(_asked: argparse.Namespace) -> int:
    _become("publisher", "workers.publish")


def _become(process: str, module: str, *words: str) -> NoReturn:
    """Go on as another program, in the same process: who watches this one watches that one."""
    from gatekeeper.ops.keys import strip_of_others

    strip_of_others(process, os.environ)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *words])  # noqa: S606 - this very Python, our own module


def _release(_asked: argparse.Namespace) -> int:
    from gatekeeper.clock import SystemClock
    from gatekeeper.ops.release import release
    from gatekeeper.settings import load_settings

    release(load_settings("release"), clock=SystemClock(), tell=_say)
    _say("The database has this release's schema.")
    return DONE


def _bounced(_asked: argparse.Namespace) -> int:
    from gatekeeper.ops.bounced import bounced

    return bounced()


def _backup(asked: argparse.Namespace) -> int:
    from gatekeeper.clock import SystemClock
    from gatekeeper.ops.backup import backup_command
    from gatekeeper.settings import load_settings

    if asked.keep < 1:
        raise BadInput("--keep must be at least 1.")
    backup_command(load_settings("backup"), target=asked.to, keep=asked.keep, clock=SystemClock(), tell=print)
    return DONE


def _restore(asked: argparse.Namespace) -> int:
    from gatekeeper.clock import SystemClock
    from gatekeeper.ops.restore import restore

    environ = dict(os.environ)
    if asked.data:
        environ["GATEKEEPER_DATA"] = str(asked.data)
    restore(asked.backup.expanduser().resolve(), environ, clock=SystemClock(), tell=print)
    return DONE


def _nightly(_asked: argparse.Namespace) -> int:
    from gatekeeper.log import configure_logging
    from gatekeeper.ops.keys import strip_of_others
    from gatekeeper.ops.nightly import run
    from gatekeeper.settings import load_settings

    configure_logging("nightly")
    strip_of_others("nightly", os.environ)
    return run(load_settings("nightly"))


def _doctor(asked: argparse.Namespace) -> int:
    from gatekeeper.ops.doctor import doctor_command

    return doctor_command(data=asked.data, as_json=asked.json)


def _units(asked: argparse.Namespace) -> int:
    from gatekeeper.ops.units import units_command

    return units_command(data=asked.data, user=asked.user, split=asked.split, folder=asked.to, tell=print)


def _scan(asked: argparse.Namespace) -> int:
    from gatekeeper.scanners.commands import scan_command

    return scan_command(asked.photos, gallery=asked.gallery, as_json=asked.json)


def _sanitise(asked: argparse.Namespace) -> int:
    from gatekeeper.scanners.commands import sanitise_command

    return sanitise_command(asked.source, asked.target)


def _check(asked: argparse.Namespace) -> int:
    from gatekeeper.scanners.text_command import check_command

    return check_command(asked.posts, roster=asked.roster, staff=asked.staff, school=asked.school, as_json=asked.json)


def _add_user(asked: argparse.Namespace) -> int:
    from gatekeeper.bootstrap import build_services
    from gatekeeper.clock import SystemClock
    from gatekeeper.ops.keys import ensure_keys
    from gatekeeper.ops.release import release
    from gatekeeper.people.staff import ROLE_WORDS, Role
    from gatekeeper.settings import load_settings
    from gatekeeper.workflow.accounts import add_user

    password = _read_password()
    ensure_keys(load_settings("users"), os.environ)  # a new installation has none yet, and who may decide is signed
    settings = load_settings("users")
    release(settings, clock=SystemClock(), tell=_say)
    role = Role(asked.role)
    add_user(build_services(settings), name=asked.name, email=asked.email, role=role, password=password)
    _say(f"{ROLE_WORDS[role]} added. Sign in at {settings.public_url}/signin")
    return DONE


def _read_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    from getpass import getpass

    password = getpass("Password (at least 12 characters): ")
    if getpass("The same again: ") != password:
        raise BadInput("The two passwords are not the same. Nothing was added.")
    return password


def _verify_ledger(asked: argparse.Namespace) -> int:
    from gatekeeper.ops.ledger_command import verify_command

    return verify_command(data=asked.data, since=asked.since, anchor=asked.anchor, key=asked.key)


def _rotate_ledger(_asked: argparse.Namespace) -> int:
    from gatekeeper.ops.ledger_command import rotate_command

    return rotate_command()


def _rotate_seal(_asked: argparse.Namespace) -> int:
    from gatekeeper.ops.seal_rotation import rotate_seal
    from gatekeeper.settings import load_settings

    count = rotate_seal(load_settings("keys"), os.environ)
    _say(f"The keys of {count} channel{'' if count == 1 else 's'} are sealed with a new pair. Start Gatekeeper again.")
    return DONE


def _rotate_templates(_asked: argparse.Namespace) -> int:
    from gatekeeper.ops.keys import rotate_templates
    from gatekeeper.settings import load_settings

    rotate_templates(load_settings("keys"))
    _say(
        "A new key stands in front. Restart Gatekeeper: the scanning process then seals every face template anew with it."
    )
    return DONE


def _say(line: str) -> None:
    print(line, file=sys.stderr)
