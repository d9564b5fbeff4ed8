"""One line of the table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What a line is about."""

    CEILING = "ceiling"
    GATEWAY = "gateway"
    ALONE = "alone"
    PEER = "peer"
    PAUSE = "pause"
    FAULTS = "faults"
    GROWTH = "growth"
    MEMORY = "memory"


_NOTED = frozenset({Part.GROWTH, Part.MEMORY})
"""Where the note says what was measured."""


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured; None where there is no figure. Processor times are those of one unit."""

    part: Part
    what: str
    on: str
    """The store and the workers, or what stands in their place."""
    connections: int
    per_s: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    p999_ms: float | None = None
    max_ms: float | None = None
    gateway_us: float | None = None
    """Processor time of the gateway's processes for one: its inverse is what a core does."""
    store_us: float | None = None
    bank_us: float | None = None
    gateway_mib: float | None = None
    failed: int = 0
    """What was not answered well, though nothing was to go wrong."""
    note: str = ""

    @property
    def per_core_s(self) -> float | None:
        """How many a second of the gateway's processor time."""
        return 1e6 / self.gateway_us if self.gateway_us else None


def median_of(rows: Sequence[Row]) -> Row:
    """Of several measurements of one thing, the one in the middle by its rate."""
    return sorted(rows, key=lambda row: row.per_s)[len(rows) // 2]


def medians(rows: Iterable[Row]) -> list[Row]:
    """A line for each thing that was measured, in the order in which they first were."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        note = row.note if row.part in _NOTED else ""
        found.setdefault((row.part, row.what, row.on, str(row.connections), note), []).append(row)
    return [median_of(each) for each in found.values()]
