"""Times as an operator reads them."""

from datetime import UTC, datetime


def utc_text(at_ms: int | None) -> str | None:
    """`2026-11-22T13:14:28.120Z` of milliseconds since 1970-01-01 UTC."""
    if at_ms is None:
        return None
    text = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
