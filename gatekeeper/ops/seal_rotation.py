"""Hands the channels' sealed keys to a new seal pair: every account is sealed anew, and the old private key is forgotten.

In this order, so that a power cut at any point loses nothing: both private keys in one file, the new public half,
every account in one transaction, the new private key alone. Cut short, it is run again: both keys still open.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gatekeeper.channels import seal
from gatekeeper.errors import SettingsError
from gatekeeper.ops.key_files import write_key
from gatekeeper.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_OURS = ("GATEKEEPER_SEAL_KEY", "GATEKEEPER_SEAL_KEY_FILE", "GATEKEEPER_SEAL_PUBLIC")


def rotate_seal(settings: Settings, environ: Mapping[str, str]) -> int:
    """Seal every account's keys anew with a new pair; says how many. Nothing may run meanwhile.

    Raises:
        SettingsError: the pair does not stand in the data folder, something still runs, an account cannot be opened
            with the present key, or the database does not answer. Whatever it is, nothing is lost.
    """
    from gatekeeper.ops.run import only_one

    private, public = settings.keys / "seal_key", settings.keys / "seal.pub"
    if any(environ.get(name) for name in _OURS) or not private.is_file() or not public.is_file():
        raise SettingsError(
            f"The seal pair does not stand in {settings.keys}, so it is not ours to replace. Put both halves into "
            "seal_key and seal.pub there (chmod 600), take the variables away, and run this again."
        )
    with only_one(settings.data):
        present = private.read_text().split()
        new_public, new_private = seal.make_keypair()
        with _accounts(settings) as session:
            count = _seal_anew(session, present, "", check_only=True)  # before anything is touched
        write_key(private, "\n".join([new_private, *present]))
        write_key(public, new_public)
        with _accounts(settings) as session:
            _seal_anew(session, [new_private, *present], new_public)
        write_key(private, new_private)
        return count


@contextmanager
def _accounts(settings: Settings) -> Iterator["Session"]:
    from sqlalchemy.exc import SQLAlchemyError

    from gatekeeper.db.session import Database

    database = Database(settings.database_url)
    try:
        with database.begin() as session:
            yield session
    except SQLAlchemyError as err:
        raise SettingsError(
            f"The database did not answer ({type(err).__name__}). No key is lost: run this again."
        ) from err
    finally:
        database.engine.dispose()


def _seal_anew(session: "Session", keys: list[str], public: str, *, check_only: bool = False) -> int:
    from sqlalchemy import select

    from gatekeeper.posts.model import ChannelAccount

    count = 0
    for account in session.scalars(select(ChannelAccount).where(ChannelAccount.sealed.is_not(None))):
        context = seal.account_context(account.id)
        try:
            plain = seal.unseal(" ".join(keys), account.sealed or "", context=context)
        except SettingsError:
            raise SettingsError(
                f"The keys of “{account.name}” cannot be opened with the present key. Close that channel, or type its "
                "keys in again, and run this once more. Nothing was changed."
            ) from None
        if not check_only:
            account.sealed = seal.seal(public, plain, context=context)
        count += 1
    return count
