"""Memory: what a gateway's process holds after its first sales, and after very many."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.levels import SALE, level, of_part
from bench.row import Part, Row
from bench.station import station
from bench.stores import SQLITE, Stores

FIRST: Final = 10_000
_AT_ONCE: Final = 64
_STEP_S: Final = 10


def memory_rows(stores: Stores, home: Path, sales: int) -> Iterator[Row]:
    """A line after the first sales, and one after all of them."""
    with station(stores, stores.fresh(SQLITE), home / "memory") as on:
        for wanted in (FIRST, sales):
            while on.approved < wanted:
                on.sold.clear()
                seen = level(on, SALE, _AT_ONCE, _STEP_S if wanted == sales else 1)
            yield of_part(seen, Part.MEMORY, f"after {on.approved:,} sales")
