"""Which key signs the ledger in a database, asked before anything is written with another."""

from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from approvals import ledger
from gatekeeper.db.session import Database
from gatekeeper.errors import SettingsError


def present_key(url: str) -> str | None:
    """The name of the key that signs next; None where there is no ledger yet, or none that is signed.

    Raises:
        SettingsError: the database cannot be asked.
    """
    database = Database(url)
    try:
        tables = inspect(database.engine)
        if not tables.has_table("ledger") or "key_id" not in {c["name"] for c in tables.get_columns("ledger")}:
            return None  # of a release before there were signatures
        with database.read() as session:
            return ledger.present_key(session)
    except SQLAlchemyError as err:
        raise SettingsError(f"The database cannot be asked for the ledger's key ({type(err).__name__}).") from err
    finally:
        database.engine.dispose()


def check_fits(present: str | None, held: str) -> None:
    """Refuse to work with another key than the one with which the ledger is signed.

    Raises:
        SettingsError: it is another one.
    """
    if present not in (None, held):
        raise SettingsError(
            f"The ledger in this database is signed with the key {present}, but the key given is {held}. Put the right "
            "one back as keys/ledger_key or GATEKEEPER_LEDGER_KEY: with another, nothing can be decided or published."
        )
