"""`gatekeeper subject-access`: writes what is held about one child, for whoever looks after the computer."""

import argparse
import os
import sys
from pathlib import Path

from gatekeeper.errors import GatekeeperError
from gatekeeper.ops.evidence_command import account_here, taken, write_once


def add_subject_access(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Give the command line its `subject-access` command."""
    words = "write one zip with everything that is held about one pupil, and nothing about another"
    command = commands.add_parser(
        "subject-access",
        help=words,
        description=f"{words[0].upper()}{words[1:]}. That it was made stands in the audit.",
    )
    command.add_argument("pupil", metavar="PUPIL", type=int, help="the number in the address of the pupil's page")
    command.add_argument("--reason", required=True, help="why it is made; goes into the audit")
    command.add_argument("--out", type=Path, metavar="FILE", help="default: subject-access-PUPIL.zip, here")
    command.add_argument("--data", type=Path, metavar="DIR", help="the data folder (default: as in the settings)")
    command.set_defaults(action=subject_access)


def subject_access(asked: argparse.Namespace) -> int:
    """Write the file, which nobody else may read, and say where it is."""
    from sqlalchemy.exc import SQLAlchemyError

    from gatekeeper.bootstrap import build_services
    from gatekeeper.settings import load_settings
    from gatekeeper.workflow.subject_access import export

    environ = dict(os.environ)
    if asked.data:
        environ = {name: value for name, value in environ.items() if not name.endswith("DATABASE_URL")}
        environ["GATEKEEPER_DATA"] = str(asked.data)
    if asked.out and asked.out.exists():
        raise taken(asked.out)
    settings = load_settings("subject-access", environ)
    path = settings.database_url.removeprefix("sqlite:///")
    if path != settings.database_url and not Path(path).is_file():
        raise GatekeeperError(f"There is no database at {path}.")
    services = build_services(settings)
    try:
        made = export(services, asked.pupil, reason=asked.reason, by=None, account=account_here(), most_pictures=None)
    except SQLAlchemyError as err:
        raise GatekeeperError(f"The file could not be made ({type(err).__name__}).") from err
    finally:
        services.db.engine.dispose()
    target: Path = asked.out or Path(made.file_name)
    write_once(target, made.data)
    print(target)
    told = f"{made.posts} posts, {made.pictures} pictures. Read it before you hand it over, then delete it."
    print(told, file=sys.stderr)
    return 0
