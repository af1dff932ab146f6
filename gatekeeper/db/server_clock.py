"""One clock for all publishers: what the database server's shows, however wrong the clock of the computer is.

Whether a post is due, and whether another's lease is over, is asked on every machine. With the server's answer no
machine whose own clock is ahead sends early or takes what another still holds. The server is asked once in a second;
between two answers a steady clock of this computer counts on, which nobody can set.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

_EACH: Final = 1.0
_JUMP: Final = 0.05  # seconds by which this computer's two clocks may part before one was set, or slept


@dataclass(frozen=True)
class _Answer:
    server: datetime
    steady: float
    local: datetime


class ServerClock:
    """Tells the server's time. It is never ahead of it, and behind by no more than one question takes."""

    def __init__(self, engine: Engine, *, local: Callable[[], datetime], steady: Callable[[], float]) -> None:
        """`local` is this computer's own clock, `steady` counts seconds and goes on while the computer sleeps."""
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._local, self._steady = local, steady
        self._last: _Answer | None = None

    def now(self) -> datetime:
        """The present moment, aware, in UTC.

        Raises:
            SQLAlchemyError: the server was never reached. Once it was, this goes on without it.
        """
        last, steady = self._last, self._steady()
        if last is None or steady - last.steady > _EACH or self._jumped(last, steady):
            try:
                last = self._last = self._ask()
            except SQLAlchemyError:
                if last is None:
                    raise
        return last.server + timedelta(seconds=self._steady() - last.steady)

    def _jumped(self, last: _Answer, steady: float) -> bool:
        """Whether this computer's clock was set since, or one of the two stood still while it was frozen."""
        return abs((self._local() - last.local).total_seconds() - (steady - last.steady)) > _JUMP

    def _ask(self) -> _Answer:
        with self._engine.connect() as connection:
            connection.execute(text("SELECT 1"))  # a connection that has to be made, or mended, takes its time here
            told = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return _Answer(server=told.astimezone(UTC), steady=self._steady(), local=self._local())
