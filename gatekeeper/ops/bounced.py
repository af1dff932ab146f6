"""`gatekeeper bounced`: takes in a mail server's report about an undelivered e-mail, from a pipe."""

import sys
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.exc import SQLAlchemyError

from gatekeeper.bootstrap import build_services
from gatekeeper.errors import BadInput, GatekeeperError
from gatekeeper.mail.report import LARGEST
from gatekeeper.settings import load_settings
from gatekeeper.workflow import bounce


def bounced(source: BinaryIO | None = None) -> int:
    """Read one report and say in one line what was done with it.

    Raises:
        GatekeeperError: it is no report about an e-mail of ours, or the database cannot be reached.
    """
    data = (source or sys.stdin.buffer).read(LARGEST + 1)
    settings = load_settings("bounced")
    path = settings.database_url.removeprefix("sqlite:///")
    if path != settings.database_url and not Path(path).is_file():
        raise GatekeeperError(f"There is no database at {path}.")
    services = build_services(settings)
    try:
        print(bounce.take_in(services, data))
    except BadInput as refused:
        raise GatekeeperError(str(refused)) from refused  # no wrong argument: the pipe is told 1, not 2
    except SQLAlchemyError as err:
        raise GatekeeperError(f"The database cannot be reached ({type(err).__name__}).") from err
    finally:
        services.db.engine.dispose()
    return 0
