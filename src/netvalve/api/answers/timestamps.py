"""Moments as answers show them."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES_KEPT: Final = 4_096


def timestamp(at_ms: int) -> str:
    """`2024-11-08T12:38:58.140+00:00`: milliseconds, UTC as an offset. Source: contract, 1."""
    minute, within_ms = divmod(at_ms, 60_000)
    return f"{_begun(minute)}{within_ms // 1000:02d}.{within_ms % 1000:03d}+00:00"


@lru_cache(_MINUTES_KEPT)
def _begun(minute: int) -> str:
    """What the moments of a minute begin with: rows lie close together in time."""
    return (_EPOCH + timedelta(minutes=minute)).isoformat()[: len("2024-11-08T12:38:")]
