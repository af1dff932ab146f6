"""Column types that both rooms store: moments in UTC that come back aware on every database."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. A naive time is refused: nobody could say later which clock it came from."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Store UTC; SQLite keeps no zone, so the zone is dropped there after converting."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a naive time cannot be stored"
            raise ValueError(msg)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Give back an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_text(moment: datetime) -> str:
    """The one way a moment is spelt where it is hashed: UTC, always with microseconds, so that it also sorts."""
    if moment.tzinfo is None:
        msg = "a naive time cannot be stored"
        raise ValueError(msg)
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class UtcText(TypeDecorator[datetime]):
    """A moment in UTC kept as the very text that was hashed, so that no database can spell it differently."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Store the hashed spelling."""
        return None if value is None else utc_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Give back an aware time in UTC."""
        return None if value is None else datetime.fromisoformat(value)
