"""One payment alone, against what it cannot be without: two syncs of the disk and the bank."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from bench.levels import SALE, level, of_part
from bench.machine import sync_ms
from bench.rounds import ROUND_TRIP, Ceilings, bank_name
from bench.row import Part, Row
from bench.station import Station

SYNC: Final = "write + fsync of 4 KiB"


def alone_rows(
    on: Iterable[Station], alone: Ceilings, bank_kind: str, home: Path, seconds: float
) -> Iterator[Row]:
    """The disk, the bank, and a sale with no other beside it."""
    took_ms = sync_ms(home)
    yield Row(Part.ALONE, SYNC, "disk", 1, per_s=1000 / took_ms, p50_ms=took_ms)
    round_trip = alone.measure(ROUND_TRIP, bank_name(bank_kind), seconds)
    yield of_part(round_trip, Part.ALONE, round_trip.note)
    for station in on:
        yield of_part(level(station, SALE, 1, seconds), Part.ALONE)
