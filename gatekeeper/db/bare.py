"""A model's bare table, for the statements that are asked so often that building an object for each row is too dear."""

from sqlalchemy import Table
from sqlalchemy.orm import DeclarativeBase


def table_of(model: type[DeclarativeBase]) -> Table:
    """The table under a model. Rows that are changed through it are unknown to the objects a session has read."""
    table = model.__table__
    assert isinstance(table, Table)
    return table
