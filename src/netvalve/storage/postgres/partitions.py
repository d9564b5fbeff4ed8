"""The tables that are cut by month: orders, transactions and events, along their own numbers.

Each month's part is there before its first row. A part is made as a table of its own and then
attached, which lets reads and writes of the others go on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from netvalve.storage.months import first_number, month_after, month_of, month_of_number

BY_MONTH: Final = ("orders", "transactions", "events")
MONTHS_AHEAD: Final = 3
_NOW_MS: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtext('netvalve months'))"
_EXISTS: Final = "SELECT to_regclass(:name) IS NOT NULL"
_PARTS: Final = """
SELECT whole.relname, part.relname, pg_get_expr(part.relpartbound, part.oid),
    i.inhdetachpending, GREATEST(part.reltuples, 0)::bigint, pg_total_relation_size(part.oid)
FROM pg_inherits i
JOIN pg_class whole ON whole.oid = i.inhparent JOIN pg_class part ON part.oid = i.inhrelid
WHERE whole.oid IN (SELECT to_regclass(name) FROM unnest(CAST(:tables AS text[])) AS t(name))
ORDER BY part.relname
"""
_LOWER_BOUND: Final = re.compile(r"FROM \('(\d+)'\)")
BEFORE: Final = 0
"""The month of the part for numbers from before there were months."""


@dataclass(frozen=True, slots=True)
class Part:
    """One table's rows of one month."""

    table: str
    name: str
    month: int
    leaving: bool
    """Its detaching was begun and has not ended: nobody sees its rows any more."""
    rows: int
    """As the server last counted or guessed them."""
    bytes: int
    """With its indexes."""


def add_months(connection: Connection) -> None:
    """Make the parts of this month and of the next three, where they are missing."""
    connection.execute(text(_ONE_AT_A_TIME))
    for month in months_from(server_now_ms(connection)):
        for table in BY_MONTH:
            if not exists(connection, part(table, month)):
                for statement in part_statements(table, month):
                    connection.execute(text(statement))


def parts(connection: Connection) -> tuple[Part, ...]:
    """All parts that belong to their tables now."""
    rows = connection.execute(text(_PARTS), {"tables": list(BY_MONTH)})
    return tuple(
        Part(table, name, _month_of_bounds(bounds), leaving, *size)
        for table, name, bounds, leaving, *size in rows
    )


def part_of(connection: Connection, table: str, month: int) -> Part | None:
    """A table's part of a month, where it belongs to it now."""
    of_table = (each for each in parts(connection) if each.table == table)
    return next((each for each in of_table if each.month == month), None)


def exists(connection: Connection, name: str) -> bool:
    """Whether there is a table of this name, be it a part or not."""
    found: bool = connection.execute(text(_EXISTS), {"name": name}).scalar_one()
    return found


def server_now_ms(connection: Connection) -> int:
    """The server's time."""
    now_ms: int = connection.execute(text(_NOW_MS)).scalar_one()
    return now_ms


def months_from(now_ms: int) -> Iterator[int]:
    """The month of a time, and those whose parts are made ahead."""
    month = month_of(now_ms)
    for _ in range(1 + MONTHS_AHEAD):
        yield month
        month = month_after(month)


def part(table: str, month: int) -> str:
    """The name of a table's part: `orders_2611`."""
    return f"{table}_{month:04d}"


def part_statements(table: str, month: int) -> tuple[str, str]:
    """What makes and attaches a part."""
    name, first, end = part(table, month), first_number(month), first_number(month_after(month))
    return (
        f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)",
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})",
    )


def _month_of_bounds(bounds: str) -> int:
    """`FOR VALUES FROM ('261100000000000') TO (…)` is 2611; one without a beginning is `BEFORE`."""
    first = _LOWER_BOUND.search(bounds)
    return month_of_number(int(first[1])) if first else BEFORE
