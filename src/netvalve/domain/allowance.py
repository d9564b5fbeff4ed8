"""A client's allowance: how many requests it may make in a second, and how gateways share it out.

Each second of the store's time is counted for itself. A gateway has requests counted before they
come, some at a time, and may let through as many of them as are within the limit.
"""

from dataclasses import dataclass
from typing import Final

_PORTIONS: Final = 20
"""In a second, while few wait: what one gateway has fetched and not used, the others miss."""


@dataclass(frozen=True, slots=True)
class CountedSecond:
    """A client's requests in one second of the store's time, those of all gateways together."""

    count: int
    left_s: float
    """How long the second still lasts; not above zero where it has ended meanwhile."""


def portion(limit: int, waiting: int) -> int:
    """How many requests to have counted at once: a share of the limit, or all that wait."""
    return min(limit, max(limit // _PORTIONS, waiting, 1))


def granted(limit: int, wanted: int, counted: int) -> int:
    """How many of `wanted` requests, the last of those counted, are within the limit."""
    return min(max(limit - (counted - wanted), 0), wanted)
