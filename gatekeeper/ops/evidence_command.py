"""`gatekeeper evidence export`: writes the evidence bundle of a post, for whoever looks after the computer."""

import argparse
import getpass
import os
import sys
from pathlib import Path

from gatekeeper.errors import BadInput, GatekeeperError, SettingsError


def add_evidence(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Give the command line its `evidence` command."""
    evidence = commands.add_parser("evidence", help="proof of a decision")
    words = "write one zip that proves what was decided about a post, and can be checked without Gatekeeper"
    export = evidence.add_subparsers(metavar="COMMAND", required=True).add_parser(
        "export", help=words, description=f"{words[0].upper()}{words[1:]}. That it was taken out stands in the audit."
    )
    export.add_argument("post", metavar="POST", type=int, help="the post's number")
    export.add_argument("--version", type=int, metavar="N", help="default: the version that was decided about last")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: evidence-post-POST-version-N.zip, here")
    export.add_argument("--names", action="store_true", help="with the names of the pupils in the pictures")
    export.add_argument("--reason", default="", help="why the names are needed; goes into the audit")
    export.add_argument("--data", type=Path, metavar="DIR", help="the data folder (default: as in the settings)")
    export.set_defaults(action=export_evidence)


def export_evidence(asked: argparse.Namespace) -> int:
    """Write the bundle, and say where it is."""
    from sqlalchemy.exc import SQLAlchemyError

    from approvals.errors import ApprovalError
    from gatekeeper.bootstrap import build_services
    from gatekeeper.settings import load_settings
    from gatekeeper.workflow.evidence import Wish, export

    environ = dict(os.environ)
    if asked.data:
        environ = {name: value for name, value in environ.items() if not name.endswith("DATABASE_URL")}
        environ["GATEKEEPER_DATA"] = str(asked.data)
    if asked.out and asked.out.exists():
        raise taken(asked.out)
    settings = load_settings("evidence", environ)
    path = settings.database_url.removeprefix("sqlite:///")
    if path != settings.database_url and not Path(path).is_file():
        raise GatekeeperError(f"There is no database at {path}.")
    services = build_services(settings)
    wish = Wish(version=asked.version, names=asked.names, reason=asked.reason)
    try:
        bundle = export(services, asked.post, wish, by=None, account=account_here())
    except (SQLAlchemyError, ApprovalError) as err:
        raise GatekeeperError(f"The bundle could not be made ({type(err).__name__}).") from err
    finally:
        services.db.engine.dispose()
    target: Path = asked.out or Path(bundle.file_name)
    write_once(target, bundle.data)
    print(target)
    print(f"Version {bundle.version} of post {asked.post}. Unpack it and run verify.py to check it.", file=sys.stderr)
    return 0


def account_here() -> str:
    """The account of this computer that runs the command, for the audit."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return str(os.getuid())


def taken(target: Path) -> BadInput:
    """What is said of a file that is there already."""
    return BadInput(f"{target} is there already. Choose another name with --out.")


def write_once(target: Path, data: bytes) -> None:
    """Write a file that nobody else may read, and never over one that is there."""
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise taken(target) from None
    except OSError as err:
        raise SettingsError(f"{target} cannot be written: {err.strerror}.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
