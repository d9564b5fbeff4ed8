"""The tables that are cut by month: orders, transactions and events, along their own numbers.

Each month's part is there before its first row. A part is made as a table of its own and then
attached, which lets reads and writes of the others go on.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, text

from netvalve.storage.months import first_number, month_after, month_of

BY_MONTH: Final = ("orders", "transactions", "events")
MONTHS_AHEAD: Final = 3
_NOW_MS: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtext('netvalve months'))"
_EXISTS: Final = "SELECT to_regclass(:name) IS NOT NULL"


def add_months(connection: Connection) -> None:
    """Make the parts of this month and of the next three, where they are missing."""
    connection.execute(text(_ONE_AT_A_TIME))
    now_ms = connection.execute(text(_NOW_MS)).scalar_one()
    for month in months_from(now_ms):
        for table in BY_MONTH:
            if not connection.execute(text(_EXISTS), {"name": part(table, month)}).scalar_one():
                for statement in part_statements(table, month):
                    connection.execute(text(statement))


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
