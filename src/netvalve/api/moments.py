"""Moments as filters give them: ISO 8601, with or without a zone, or a date alone."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS: Final = 86_400_000
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOST_PLUS = re.compile(r"(T.+) ([0-9]{2}:?[0-9]{2})")
"""A `+` that nobody escaped in a query string has become a space."""


def first_ms(text: str) -> int | None:
    """Milliseconds since 1970 of a moment, or of a date's beginning; UTC where no zone is given."""
    try:
        moment = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None


def last_ms(text: str) -> int | None:
    """The same, but a date alone means its end."""
    begins_ms = first_ms(text)
    if begins_ms is not None and _DATE.fullmatch(text):
        return begins_ms + _DAY_MS - 1
    return begins_ms
