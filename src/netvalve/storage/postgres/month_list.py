"""The months of a store: how large each is, and what is open in it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection

from netvalve.storage.engine import engine_of
from netvalve.storage.postgres.archive import archived
from netvalve.storage.postgres.month_standing import StillOpen, still_open
from netvalve.storage.postgres.partitions import BEFORE, BY_MONTH, Part, parts

_ORDERS, _TRANSACTIONS, _ = BY_MONTH


@dataclass(frozen=True, slots=True)
class Month:
    """One month; what is in the tables is there until it is archived."""

    month: int
    orders: int = 0
    """Rows, as the server last counted or guessed them."""
    transactions: int = 0
    """Likewise."""
    bytes: int = 0
    archived_at_ms: int | None = None
    """0 for one that is on its way."""
    open: StillOpen | None = None
    """Of a month that is there."""


def months(database_url: str) -> tuple[Month, ...]:
    """All months, archived ones with them. Reads every order."""
    with engine_of(database_url) as engine, engine.connect() as connection:
        gone = archived(connection)
        there = {each.month: each for each in _there(connection, gone)}
        found = {month: Month(month, archived_at_ms=at_ms) for month, at_ms in gone.items()} | there
    return tuple(found[month] for month in sorted(found))


def _there(connection: Connection, gone: dict[int, int]) -> Iterator[Month]:
    of_month = sorted(parts(connection), key=lambda each: each.month)
    for month, own in groupby(of_month, key=lambda each: each.month):
        if month != BEFORE:
            yield _month(connection, month, [*own], gone.get(month))


def _month(
    connection: Connection, month: int, own: Iterable[Part], archived_at_ms: int | None
) -> Month:
    by_table = {each.table: each for each in own}
    rows = {table: each.rows for table, each in by_table.items()}
    return Month(
        month,
        orders=rows.get(_ORDERS, 0),
        transactions=rows.get(_TRANSACTIONS, 0),
        bytes=sum(each.bytes for each in by_table.values()),
        archived_at_ms=archived_at_ms,
        open=still_open(connection, month),
    )
