"""Closed load on a station: one operation, so many connections, so many seconds, one line."""

import math
from dataclasses import replace
from typing import Final

from bench.load.wrk import Closed, closed
from bench.row import Part, Row
from bench.station import Spent, Station

SALE: Final = "sale"
REFUND: Final = "refund"
OPERATIONS: Final = (
    SALE, "authorize + capture", REFUND, "rebill", "inquiry", "/transaction", "/orders",
)  # fmt: skip
"""In their order: those that follow need the sales before them."""
_OPENING: Final = frozenset(OPERATIONS[:2])
_MONEY: Final = frozenset(OPERATIONS[:4])
_SCRIPT: Final = "gateway.lua"
_ROOM: Final = 1.5
"""How many more refunds than sales a second may be asked for."""
_SELLING_CONNECTIONS: Final = 64


def level(on: Station, operation: str, connections: int, seconds: float) -> Row:
    """Measure one; what was approved is counted, to be proved at the station's end."""
    known = _known(on, operation, connections, seconds)
    before = on.spent()
    seen = _load(on, operation, known, connections, seconds)
    if operation == SALE:
        on.sales_per_s = max(on.sales_per_s, seen.per_s)
    return _row(on, operation, connections, seen, on.spent().since(before, seen.done))


def _known(on: Station, operation: str, connections: int, seconds: float) -> list[str]:
    """The transactions that an operation is about; none where it opens its own."""
    if operation in _OPENING:
        return []
    if operation == REFUND:
        return _sales_to_refund(on, connections, seconds)
    return on.sold


def _sales_to_refund(on: Station, connections: int, seconds: float) -> list[str]:
    """Sales that nothing was refunded of, as many as there can be refunds in the time."""
    wanted = math.ceil(on.sales_per_s * seconds * _ROOM) + connections
    while len(on.sold) < wanted:
        level(on, SALE, _SELLING_CONNECTIONS, (wanted - len(on.sold)) / on.sales_per_s + 1)
    taken, on.sold = on.sold[:wanted], on.sold[wanted:]
    return taken


def _load(
    on: Station, operation: str, known: list[str], connections: int, seconds: float
) -> Closed:
    about, sold = on.home / "about", on.home / "sold"
    about.write_text("".join(f"{each}\n" for each in known))
    sold.unlink(missing_ok=True)
    on.loads += 1
    seen = closed(
        *(_SCRIPT, on.base_url, connections, seconds),
        *(operation, f"{on.home.name}-{on.loads}", on.client_id, on.api_key),
        *(str(about), str(sold)),
    )
    if operation == SALE:
        on.sold += sold.read_text().split()
    if operation in _MONEY:
        on.approved += seen.approved
    return seen


def _row(on: Station, operation: str, connections: int, seen: Closed, each: Spent) -> Row:
    return Row(
        Part.GATEWAY,
        operation,
        on.name,
        connections,
        per_s=seen.per_s,
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
        p999_ms=seen.p999_ms,
        max_ms=seen.max_ms,
        gateway_us=each.gateway_us,
        store_us=each.store_us,
        bank_us=each.bank_us,
        gateway_mib=on.gateway_mib,
        failed=seen.failed,
    )


def warm_up(on: Station, seconds: float = 2) -> None:
    """Sell until everything has been used once; proved, and not in the table."""
    level(on, SALE, 16, seconds)


def of_part(row: Row, part: Part, note: str = "") -> Row:
    """The same line under another part."""
    return replace(row, part=part, note=note)
