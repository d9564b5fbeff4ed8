"""SQL text for the hot writes: compiled from the tables once, executed by the driver itself."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

_POSITIONAL: Final = sqlite.dialect(paramstyle="qmark")


def insert(table: Table) -> str:
    """A whole row, its values in the order of the table's columns."""
    return str(table.insert().compile(dialect=_POSITIONAL))


def insert_or_leave(table: Table, key: Sequence[str]) -> str:
    """The same, doing nothing (zero rows) where the key is there already."""
    statement = sqlite.insert(table).on_conflict_do_nothing(index_elements=key)
    return str(statement.compile(dialect=_POSITIONAL))


def insert_or_replace(table: Table) -> str:
    """The same, in place of the row that has the key."""
    return str(table.insert().prefix_with("OR REPLACE").compile(dialect=_POSITIONAL))


def marks(count: int) -> str:
    """`?, ?, ?`."""
    return ", ".join("?" * count)
