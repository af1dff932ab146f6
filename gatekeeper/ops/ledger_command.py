"""`gatekeeper ledger verify` and `gatekeeper keys rotate-ledger`: for the person at the terminal, and for scripts."""

import json
import os
import sys
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from approvals import ledger_records
from approvals.ledger_check import Verification
from approvals.ledger_entries import first_since, last_number
from approvals.signing import is_public_key
from gatekeeper.clock import SystemClock, resolve_london
from gatekeeper.db.session import Database
from gatekeeper.errors import BadInput, GatekeeperError
from gatekeeper.ops.ledger_keys import LIST, rotate_ledger
from gatekeeper.settings import Settings, load_settings

_HASH_LETTERS = 64


def verify_command(*, data: Path | None, since: str | None, anchor: str | None, key: Path | None) -> int:
    """Print what reading the ledger showed, as one JSON object; 0 when all of it is as it was written, else 1.

    Raises:
        BadInput: one of the arguments cannot be used.
        GatekeeperError: there is no ledger, or it cannot be read.
    """
    noted = _hash(anchor)
    settings = load_settings("ledger", _environment(data))
    keys = _keys(settings, key)
    path = settings.database_url.removeprefix("sqlite:///")
    if path != settings.database_url and not Path(path).is_file():
        raise GatekeeperError(f"There is no database at {path}.")
    database = Database(settings.database_url)
    try:
        with database.read() as session:
            first = _first(session, since)
            found = ledger_records.verify(session, keys=keys, since=first, anchor=noted)
    except SQLAlchemyError as err:
        raise GatekeeperError(f"The ledger cannot be read ({type(err).__name__}).") from err
    finally:
        database.engine.dispose()
    if found.key and not keys:
        _say(
            f"{settings.keys / LIST} is not there, so the keys were believed that the ledger itself names. "
            "Give the list with --key."
        )
    print(json.dumps(_answer(found, since=since)))
    return 0 if found.ok else 1


def rotate_command() -> int:
    """Hand the ledger to a new key and say what to do next.

    Raises:
        SettingsError: it cannot be done now; the text says why.
    """
    settings = load_settings("keys")
    done = rotate_ledger(settings, os.environ, clock=SystemClock())
    _say(f"The ledger is signed with the key {done.new} from now on; the entry that says so is signed by both.")
    _say(f"Copy {settings.keys / LIST} to where you keep it outside this computer, and make a backup.")
    _say(f"After that delete {done.retired}: only a database from before this moment would need it.")
    return 0


def _answer(found: Verification, *, since: str | None) -> dict[str, object]:
    answer: dict[str, object] = {
        "entries": found.entries,
        "ok": found.ok,
        "head": found.head,
        "unsigned": found.unsigned,
        "key": found.key,
        "pinned": found.pinned,
    }
    if since is not None:
        answer["since"] = found.since
    if found.anchor_at is not None:
        answer["anchor_at"] = found.anchor_at
    if not found.ok:
        answer |= {"broken_at": found.broken_at, "reason": found.reason}
    if found.records:
        answer["records"] = [{"entry": problem.entry, "problem": problem.problem} for problem in found.records]
    return answer


def _environment(data: Path | None) -> Mapping[str, str]:
    if data is None:
        return os.environ
    told = ("DATABASE_URL", "GATEKEEPER_LEDGER_PUBLIC")  # of another installation than the folder's
    environ = {name: value for name, value in os.environ.items() if not name.endswith(told)}
    return {**environ, "GATEKEEPER_DATA": str(data)}


def _keys(settings: Settings, path: Path | None) -> tuple[str, ...]:
    if path is None:
        return settings.ledger_public
    try:
        keys = tuple(path.read_text().split())
    except (OSError, UnicodeDecodeError) as err:
        raise BadInput(f"{path} cannot be read.") from err
    if not keys or not all(is_public_key(key) for key in keys):
        raise BadInput(f"{path} is no list of public keys: one a line, as in keys/{LIST}.")
    return keys


def _hash(typed: str | None) -> str | None:
    if typed is None:
        return None
    noted = "".join(typed.split()).lower()
    if len(noted) != _HASH_LETTERS or set(noted) - set("0123456789abcdef"):
        raise BadInput(f"--anchor takes the {_HASH_LETTERS} letters and digits from the e-mail or the receipt.")
    return noted


def _first(session: Session, since: str | None) -> int:
    if since is None:
        return 1
    if since.isdecimal() and since.isascii():
        number, last = int(since[:18]), last_number(session)
        if not 1 <= number <= last:
            raise BadInput(f"There is no entry {number}: the ledger has {last}.")
        return number
    try:
        midnight = resolve_london(datetime.combine(date.fromisoformat(since), datetime.min.time()), fold=0)
    except (ValueError, OverflowError):
        raise BadInput("--since takes the number of an entry, or a day such as 2026-09-01.") from None
    return first_since(session, midnight)


def _say(line: str) -> None:
    print(line, file=sys.stderr)
