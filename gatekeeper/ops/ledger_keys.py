"""The key that signs the ledger: made once, never made anew behind anybody's back, and changed without being lost.

`keys/ledger_key` is the key. `keys/ledger.pub` lists the public half of every key this installation ever signed with,
the present one last: it is what a ledger is held against, so a copy of it belongs outside this computer.

A change of the key is written down in this order: the new key beside the old one, the entry in the ledger, the list,
the key itself. Cut short at any point, the ledger says how far it came: it is finished or undone at the next start.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from approvals.errors import LedgerUnsigned
from approvals.signing import Ed25519Signer, key_id_of, make_key
from gatekeeper.clock import Clock
from gatekeeper.errors import SettingsError
from gatekeeper.ops.key_files import put_in_place, write_key
from gatekeeper.settings import Settings, secret_of

KEY, LIST, NEXT = "ledger_key", "ledger.pub", "ledger_key.next"


@dataclass(frozen=True)
class Rotation:
    """A change of the key: what both keys are called, and where the old one was put."""

    old: str
    new: str
    retired: Path


def ensure_ledger_key(settings: Settings, environ: Mapping[str, str]) -> None:
    """Make the key of a new installation, and see that it stands on the list.

    Raises:
        SettingsError: the key is missing although the ledger has one, it cannot be used, or it is not the present one.
    """
    with _alone(settings.keys):
        _settle(settings)
        text = secret_of("LEDGER_KEY", environ, settings.data)
        known = _listed(settings)
        if not text:
            _check_never_signed(settings, known)
            text = make_key()
            write_key(settings.keys / KEY, text)
        public = _read(text, "GATEKEEPER_LEDGER_KEY").public
        if not known:
            _check_fits(settings.database_url, key_id_of(public))
            write_key(settings.keys / LIST, public)
        elif public != known[-1]:
            raise SettingsError(
                f"The ledger's key is {key_id_of(public)}, but this installation signs with {_called(known[-1])} "
                f"({settings.keys / LIST}). Put the right key back; `gatekeeper keys rotate-ledger` changes it."
            )


def rotate_ledger(settings: Settings, environ: Mapping[str, str], *, clock: Clock) -> Rotation:
    """Hand the ledger to a new key. The old one is kept beside it until the next backup is made. Nothing may run.

    Raises:
        SettingsError: the key is not ours to replace, it is not the ledger's, or the database does not answer.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from approvals import ledger
    from gatekeeper.db.session import Database
    from gatekeeper.ops.run import only_one

    path = settings.keys / KEY
    if environ.get("GATEKEEPER_LEDGER_KEY") or environ.get("GATEKEEPER_LEDGER_KEY_FILE") or not path.is_file():
        raise SettingsError(
            f"The ledger's key does not stand in {path}, so it is not ours to replace. Where it comes from "
            "GATEKEEPER_LEDGER_KEY: stop every process, put the key into that file (chmod 600), take the variable away, "
            "run this again, and give the variable what the file holds then."
        )
    with only_one(settings.data), _alone(settings.keys):
        _settle(settings)
        old = _read(secret_of("LEDGER_KEY", environ, settings.data), str(path))
        fresh = make_key()
        new = Ed25519Signer.read(fresh)
        write_key(settings.keys / NEXT, fresh)
        database = Database(settings.database_url, signer=old)
        try:
            with database.begin() as session:
                ledger.change_key(session, new, at=clock.now())
        except LedgerUnsigned as err:
            (settings.keys / NEXT).unlink()
            raise SettingsError(f"{err} Nothing was changed.") from err
        except SQLAlchemyError as err:  # it may have been written all the same: the next start looks
            raise SettingsError(
                f"The database did not answer ({type(err).__name__}). Run this again: it finds out how far it came."
            ) from err
        finally:
            database.engine.dispose()
        return _finish(settings, old, new)


def settle_rotation(settings: Settings) -> None:
    """Finish or undo a change of the key that was cut short, as the ledger says; most times there is none.

    Raises:
        SettingsError: the ledger is signed with neither key.
    """
    if (settings.keys / NEXT).is_file():
        with _alone(settings.keys):
            _settle(settings)


def _settle(settings: Settings) -> None:
    path = settings.keys / NEXT
    if not path.is_file():
        return
    old = _read(secret_of("LEDGER_KEY", {}, settings.data), str(settings.keys / KEY))
    new = _read(path.read_text(), str(path))
    present = _signed_with(settings.database_url)
    if present == new.key_id:
        _finish(settings, old, new)
    elif present == old.key_id:
        path.unlink()  # the entry was never written, so nothing was signed with it
    else:
        raise SettingsError(
            f"A change of the ledger's key was cut short, and the ledger is signed with neither {old.key_id} nor "
            f"{new.key_id}. Is it the right database? Nothing was changed."
        )


def _finish(settings: Settings, old: Ed25519Signer, new: Ed25519Signer) -> Rotation:
    """What follows once the ledger holds the change; every part may have been done already."""
    known = _listed(settings)
    if new.public not in known:
        write_key(settings.keys / LIST, "\n".join([*(known or [old.public]), new.public]))
    retired = settings.keys / f"{KEY}.retired-{old.key_id}"
    if old.key_id != new.key_id:
        write_key(retired, (settings.keys / KEY).read_text().strip())
    put_in_place(settings.keys / NEXT, settings.keys / KEY)
    return Rotation(old.key_id, new.key_id, retired)


def _check_fits(url: str, held: str) -> None:
    present = _signed_with(url)
    if present:
        from gatekeeper.db.ledger_key import check_fits

        check_fits(present, held)


def _check_never_signed(settings: Settings, known: list[str]) -> None:
    signed = _called(known[-1]) if known else _signed_with(settings.database_url)
    if signed:
        raise SettingsError(
            f"The ledger is signed with the key {signed}, and that key is missing. Put it back as "
            f"{settings.keys / KEY} (chmod 600) from where you keep the keys, or set GATEKEEPER_LEDGER_KEY. "
            "Gatekeeper makes no new one by itself: nobody could tell it from a forger's."
        )


def _signed_with(url: str) -> str | None:
    """The name of the key that signs the ledger; None where there is no such ledger yet."""
    path = url.removeprefix("sqlite:///")
    if path != url and not Path(path).is_file():
        return None
    from gatekeeper.db.ledger_key import present_key  # the demo's supervisor stays small without a database

    return present_key(url)


def _listed(settings: Settings) -> list[str]:
    path = settings.keys / LIST
    try:
        return path.read_text().split() if path.is_file() else []
    except (OSError, ValueError) as err:
        raise SettingsError(f"{path} cannot be read.") from err


def _read(text: str, name: str) -> Ed25519Signer:
    try:
        return Ed25519Signer.read(text)
    except ValueError as err:
        raise SettingsError(f"{name} cannot be used. {err}") from None


def _called(public: str) -> str:
    try:
        return key_id_of(public)
    except ValueError:
        return "of which the list holds no more than a part"


@contextmanager
def _alone(keys: Path) -> Iterator[None]:
    """One at a time looks after the key files."""
    folder = os.open(keys, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
