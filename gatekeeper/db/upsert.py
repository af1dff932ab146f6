"""Inserting where there may be such a row already: both databases can be told what becomes of it, each by its own word."""

from typing import Any

from sqlalchemy import FromClause, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_for(dialect: str, table: FromClause) -> Any:
    """An insert that can be told what to do `on_conflict_...`; the two kinds have that in common and no type of it."""
    assert isinstance(table, Table)
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
