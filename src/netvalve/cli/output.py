"""What a command prints: a table for people, JSON for programs, both of the same rows."""

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

Row = Mapping[str, object]
"""Column names to values; every row of one list has the same columns."""

_WIDE = 10_000
"""Columns of a table that goes into a file or a pipe: nothing is cut."""


def show_rows(rows: Sequence[Row], *, as_json: bool, empty: str = "Nothing to list.") -> None:
    """Prints a list, or says that it is empty."""
    if as_json:
        _show_json(rows)
    elif rows:
        _show_table(rows)
    else:
        typer.echo(empty)


def show_record(record: Row, *, as_json: bool) -> None:
    """Prints one record, a line a field. Fields without a value are left out of the text."""
    if as_json:
        _show_json(record)
        return
    width = max(map(len, record))
    for name, value in record.items():
        if value is not None:
            typer.echo(f"{_heading(name):<{width}}  {_text(value)}")


def _show_json(value: object) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _show_table(rows: Sequence[Row]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(*map(_heading, rows[0]), box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for row in rows:
        table.add_row(*map(_text, row.values()))
    Console(width=None if sys.stdout.isatty() else _WIDE, markup=False).print(table)


def _heading(name: str) -> str:
    return name.replace("_", " ")


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)
