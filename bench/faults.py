"""Under faults: half of what the gateway can do, by schedule, at a bank that does not behave."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.load.open_loop import Offered, Open, open_load
from bench.machine import cpu_s
from bench.row import Part, Row
from bench.station import Station


@dataclass(frozen=True, slots=True)
class Fault:
    """How the bank misbehaves."""

    name: str
    unanswered_percent: float = 0
    latency_s: float = 0


HEALTHY: Final = Fault("all answered at once")
FIVE_PERCENT: Final = Fault("5 % unanswered", unanswered_percent=5)
FAULTS: Final = (
    HEALTHY,
    Fault("1 % unanswered", unanswered_percent=1),
    FIVE_PERCENT,
    Fault("answers after 100 ms", latency_s=0.1),
    Fault("answers after 1 s", latency_s=1),
)
_SHARE: Final = 0.5
_SETTLE_S: Final = 3.0
"""For the reversals of what went unanswered, before the next measurement."""


def fault_rows(on: Station, seconds: float) -> Iterator[Row]:
    """A line for each fault, at half the most that the station was seen to sell."""
    for fault in FAULTS:
        yield _row(on, fault, on.sales_per_s * _SHARE, seconds)


def _row(on: Station, fault: Fault, per_s: float, seconds: float) -> Row:
    on.loads += 1
    offered = Offered(
        *(on.base_url, on.client_id, on.api_key, per_s, seconds),
        prefix=f"{on.home.name}-{on.loads}",
    )
    on.bank.misbehave(unanswered_percent=fault.unanswered_percent, latency_s=fault.latency_s)
    before = cpu_s(on.gateway_pids)
    seen = open_load(offered)
    spent_s = cpu_s(on.gateway_pids) - before
    on.bank.misbehave()
    if fault.unanswered_percent:
        time.sleep(_SETTLE_S)
    on.approved += seen.healthy
    return Row(
        Part.FAULTS,
        fault.name,
        on.name,
        seen.in_flight_max,
        per_s=seen.healthy / seen.seconds,
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
        p999_ms=seen.p999_ms,
        max_ms=seen.max_ms,
        gateway_us=spent_s / max(seen.healthy, 1) * 1e6,
        gateway_mib=on.gateway_mib,
        failed=seen.refused,
        note=_note(seen),
    )


def _note(seen: Open) -> str:
    return (
        f"offered {seen.offered / seen.seconds:.0f}/s; in flight {seen.in_flight_mean:.0f} mean, "
        f"{seen.in_flight_max} max; {seen.unanswered} unanswered, {seen.refused} refused"
    )
