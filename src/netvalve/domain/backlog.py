"""The backlog: what has no outcome yet, or is still being undone, by its age."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

AGES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "under_10s": 10_000,
        "under_1m": 60_000,
        "under_10m": 600_000,
        "under_1h": 3_600_000,
        "under_1d": 86_400_000,
    }
)
"""Milliseconds below which an age has that name; each name leaves out those before it."""
OLDER: Final = "over_1d"


@dataclass(frozen=True, slots=True)
class Oldest:
    """The transaction that has waited longest."""

    transaction_id: int
    opened_at_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Transactions that wait for the same thing."""

    by_age: Mapping[str, int]
    """A count for each name of `AGES`, and for `OLDER`."""
    oldest: Oldest | None = None

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.by_age.values())


@dataclass(frozen=True, slots=True)
class Backlog:
    """What has no end yet, as of one moment."""

    pending: Waiting
    """Without an outcome."""
    reversing: Waiting
    """Failed for the merchant, and not yet undone at the bank."""
    refused: int
    """How many of those the bank has last refused to undo."""
