"""The longest pause: a minute of sales, with whatever the gateway and its store do beside them."""

import threading
from collections.abc import Iterable, Iterator
from typing import Final

from bench.levels import SALE, level, of_part
from bench.row import Part, Row
from bench.station import Station
from netvalve.storage.engine import is_postgres

_AT_ONCE: Final = 64


def pause_rows(on: Iterable[Station], seconds: float) -> Iterator[Row]:
    """A line a station; a checkpoint of PostgreSQL falls into its middle, SQLite has its own."""
    for station in on:
        timer = threading.Timer(seconds / 2, _checkpoint, [station])
        timer.start()
        try:
            yield of_part(level(station, SALE, _AT_ONCE, seconds), Part.PAUSE)
        finally:
            timer.cancel()


def _checkpoint(station: Station) -> None:
    if is_postgres(station.database_url):
        station.stores.server.execute("CHECKPOINT")
