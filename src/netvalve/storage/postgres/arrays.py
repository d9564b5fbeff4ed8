"""Rows of many items as parameters: one array a column, whatever their number.

So the text of a statement never changes, and the server plans it once.
"""

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, LargeBinary, Table, Text

_TYPES: Final = {
    BigInteger: "bigint",
    Text: "text",
    Boolean: "boolean",
    LargeBinary: "bytea",
}

Fields = Sequence[tuple[str, str]]
"""Names and types."""


def fields_of(table: Table) -> Fields:
    """A table's columns."""
    return [(column.name, _TYPES[type(column.type)]) for column in table.columns]


def names_of(fields: Fields, alias: str = "") -> str:
    """`a, b, c`, or `x.a, x.b, x.c`."""
    return ", ".join(f"{alias}.{name}" if alias else name for name, _ in fields)


def numbers(*names: str) -> Fields:
    """Fields of numbers."""
    return [(name, "bigint") for name in names]


def texts(*names: str) -> Fields:
    """Fields of text."""
    return [(name, "text") for name in names]


class Parameters:
    """Numbers a statement's parameters while its text is written."""

    def __init__(self, first: int) -> None:
        self._numbers = count(first)

    def rows(self, alias: str, fields: Fields) -> str:
        """`unnest($5::bigint[], …) AS alias(…)`: a parameter a field, a row an item."""
        arrays = ", ".join(f"${next(self._numbers)}::{kind}[]" for _, kind in fields)
        return f"unnest({arrays}) AS {alias}({names_of(fields)})"

    def array(self, kind: str) -> str:
        """One array by itself."""
        return f"${next(self._numbers)}::{kind}[]"


def columns_of(rows: Sequence[Sequence[Any]], fields: Fields) -> Iterable[Sequence[Any]]:
    """The arrays for `Parameters.rows`."""
    return list(zip(*rows, strict=True)) if rows else [()] * len(fields)
