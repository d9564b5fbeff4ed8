"""Moments as answers show them."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def timestamp(at_ms: int) -> str:
    """`2024-11-08T12:38:58.140+00:00`: milliseconds, UTC as an offset. Source: contract, 1."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")
