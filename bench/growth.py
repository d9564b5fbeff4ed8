"""Growth: the sale rate on a store with many rows against that on an empty one, in turn."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.filling import fill
from bench.levels import SALE, level, of_part, warm_up
from bench.row import Part, Row, median_of
from bench.station import station
from bench.stores import POSTGRESQL, SQLITE, Stores
from netvalve.storage.engine import engine_of
from netvalve.storage.months import first_number, month_after, month_of

_ROUNDS: Final = 3
_AT_ONCE: Final = 64
EMPTY: Final = "empty"
_NUMBERED: Final = {"order": "orders.order_id", "transaction": "transactions.transaction_id"}
"""The last is the transactions'."""


def growth_rows(stores: Stores, home: Path, rows: int, seconds: float) -> Iterator[Row]:
    """Two lines a store: the median of each."""
    for kind in (SQLITE, POSTGRESQL):
        url = stores.fresh(kind)
        filled = fill(url, rows, _say)
        first_own = _number_above(url)
        full = f"{filled.transactions:,} rows"
        with (
            station(stores, stores.fresh(kind), home / f"{kind}-empty", title=kind) as empty,
            station(stores, url, home / f"{kind}-full", title=kind, first_own=first_own) as grown,
        ):
            seen: dict[str, list[Row]] = {EMPTY: [], full: []}
            warm_up(empty)
            warm_up(grown)
            for _ in range(_ROUNDS):
                seen[EMPTY].append(level(empty, SALE, _AT_ONCE, seconds))
                seen[full].append(level(grown, SALE, _AT_ONCE, seconds))
        for note, lines in seen.items():
            yield of_part(median_of(lines), Part.GROWTH, note)


def _number_above(url: str) -> int:
    """New orders and transactions get numbers of this month that the filling has not used.

    Returns the first of the transactions'.
    """
    end = first_number(month_after(month_of(time.time_ns() // 1_000_000)))
    first = 0
    with engine_of(url) as engine, engine.begin() as connection:
        for name, column in _NUMBERED.items():
            table = column.partition(".")[0]
            used = f"SELECT max({column}) FROM {table} WHERE {column} < {end}"
            first = connection.exec_driver_sql(used).scalar_one() + 1
            connection.exec_driver_sql(
                f"UPDATE identifiers SET next = {first} WHERE name = '{name}'"
            )
    return first


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr)
