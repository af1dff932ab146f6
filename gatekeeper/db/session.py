"""Transactions that hold what they promise on SQLite and PostgreSQL.

SQLAlchemy's default on SQLite begins a transaction only at the first write, so a read-then-write loses updates
without a word. Here every transaction begins with BEGIN IMMEDIATE: one writer, and what it read stays true until it
commits. `synchronous=FULL` makes each commit survive a power cut before anybody is told of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, sessionmaker

from approvals.ledger import SIGNER
from approvals.seen_chain import SEEN, SeenChain
from approvals.signing import Signer

#: milliseconds that SQLite waits for its one writer's place. It asks ever more rarely, in the end ten times a second;
#: who gives up early and comes back asks far more often than the others, and is let in before them
_PATIENT, _HURRIED = 30_000, 40


def make_engine(url: str) -> Engine:
    """An engine for the school's database, with the settings that make its transactions safe."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, isolation_level="READ COMMITTED", hide_parameters=True)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions on its own
        cursor = connection.cursor()
        # secure_delete: what is erased is overwritten in the file, not only let go of
        settings = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
        for pragma in (*settings, f"busy_timeout={_PATIENT}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("one_question", False):
            return  # SQLite answers it by itself
        if not options.get("hurried", False):
            connection.exec_driver_sql("BEGIN" if options.get("read_only", False) else "BEGIN IMMEDIATE")
            return
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_HURRIED}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENT}")

    return engine


class Database:
    """Hands out transactions. A step opens one, does its work, and leaves; slow work is done outside."""

    def __init__(self, url: str, *, signer: Signer | None = None) -> None:
        """`signer` signs what is written into the ledger; without one nothing can be."""
        self.url = url
        self.engine = make_engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False, info={SIGNER: signer, SEEN: SeenChain()})
        hurried = self.engine.execution_options(hurried=True)
        self._hurried = sessionmaker(hurried, expire_on_commit=False, info=self._sessions.kw["info"])
        self._glances = self.engine.execution_options(one_question=True)
        self._readers = sessionmaker(self.engine.execution_options(read_only=True), expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self, *, hurried: bool = False) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        `hurried` gives up within a moment where somebody else writes; the caller comes back at once.
        """
        with (self._hurried if hurried else self._sessions).begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent look that takes no writer's place and keeps nothing. What was read stays readable afterwards."""
        with self._readers() as session:
            yield session  # closing lets go of what was read; a rollback would empty every object of its values first

    def empty_log(self) -> bool:
        """Bring what was written into SQLite's main file and empty its log, where erased words still stand.

        Says whether that was possible now: somebody who reads at this moment keeps the log. PostgreSQL needs none of
        it: its own vacuum overwrites what was deleted.
        """
        if not self.is_sqlite:
            return True
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout=2000")
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout={_PATIENT}")
            cursor.close()
        finally:
            connection.close()
        return not busy

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """One question that needs no transaction around it: the quickest look there is."""
        with self._glances.connect() as connection:
            yield connection

    def after_fork(self) -> None:
        """Forget the parent's connections in a forked child without closing them under the parent."""
        self.engine.dispose(close=False)
