"""Rows of many items as one parameter: a JSON document, whatever their number and their width.

So the text of a statement never changes, and the server plans it once. An array for each column
would have the server begin a scan for each of them, which costs it more than all its other work.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import orjson
from sqlalchemy import BigInteger, Boolean, LargeBinary, Table, Text

_TYPES: Final = {
    BigInteger: "bigint",
    Text: "text",
    Boolean: "boolean",
    LargeBinary: "bytea",
}

Fields = Mapping[str, str]
"""Types by names."""
Row = Mapping[str, object]
"""Values by the names of fields; what is left out is NULL."""


def fields_of(table: Table, prefix: str = "") -> Fields:
    """A table's columns, each under its name or, in a row of several tables, a longer one."""
    return {f"{prefix}{column.name}": _TYPES[type(column.type)] for column in table.columns}


def names_of(fields: Iterable[str], alias: str = "") -> str:
    """`a, b, c`, or `x.a, x.b, x.c`."""
    return ", ".join(f"{alias}.{name}" if alias else name for name in fields)


def numbers(*names: str) -> Fields:
    """Fields of numbers."""
    return dict.fromkeys(names, "bigint")


def texts(*names: str) -> Fields:
    """Fields of text."""
    return dict.fromkeys(names, "text")


def row_of(fields: Fields, values: Iterable[object]) -> Row:
    """Values that come in the order of the fields."""
    return dict(zip(fields, values, strict=True))


def rows_in(parameter: str, alias: str, fields: Fields) -> str:
    """`json_to_recordset($5::json) AS alias(a bigint, …)`: what `document` has put together."""
    columns = ", ".join(f"{name} {kind}" for name, kind in fields.items())
    return f"json_to_recordset({parameter}::json) AS {alias}({columns})"


def bounds(found: Collection[int]) -> tuple[int, int]:
    """The lowest and the highest: what a statement is told of its rows before it begins.

    With these alone the server leaves out the months that it need not open.
    """
    return min(found), max(found)


def document(rows: Iterable[Row]) -> str:
    """The rows as one parameter."""
    return orjson.dumps(list(rows), default=_in_hexadecimal).decode()


def _in_hexadecimal(value: object) -> str:
    """Bytes, as the server reads them in a text."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(type(value).__name__)
