"""What the gateway must reach, held against what a run has measured. Pure.

Each is a ratio within the run, or a figure of this class of machine where it says so.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.alone import SYNC
from bench.faults import FIVE_PERCENT, HEALTHY
from bench.growth import EMPTY
from bench.levels import SALE
from bench.memory import FIRST
from bench.rounds import HTTP, ROUND_TRIP, Round, median_over_plain, median_share
from bench.row import Part, Row, median_of

_ONE_WORKER: Final = ("SQLite, 1 worker", "PostgreSQL, 1 worker")
_SHARE: Final = 0.60
_FAST_HTTP_PER_S: Final = 15_000
_SALES_PER_S: Final = 1_500
_GATEWAY_US: Final = 450
_P99_OVER_P50: Final = 4
_PAUSE_MS: Final = 250
_OWN_MS: Final = 1.0
_GROWN_MIB: Final = 1.10
_GROWN_RATE: Final = 0.90
_HEALTHY_RATE: Final = 0.90
_HEALTHY_P99: Final = 2


@dataclass(frozen=True, slots=True)
class Target:
    """One of them; what the run did not measure is neither met nor missed."""

    name: str
    measured: str
    met: bool | None


_NOT_MEASURED: Final = "not measured in this run"


def targets_of(rows: Sequence[Row], rounds: Sequence[Round]) -> list[Target]:
    """All of them, in the order of the list that they come from."""
    return [
        *_shares(rounds),
        _sales_where_http_is_fast(rows),
        _over_plain(rounds),
        *_each(_cost, rows),
        *_each(_tail, rows),
        *_each(_pause, rows),
        *_each(_alone, rows),
        _memory(rows),
        *(_growth(rows, on) for on in ("SQLite", "PostgreSQL")),
        *_each(_healthy_rate, rows),
        *_each(_healthy_p99, rows),
    ]


def _shares(rounds: Sequence[Round]) -> Iterator[Target]:
    for on in _ONE_WORKER:
        name = f"sale, {on}, 64 at once: at least {_SHARE:.0%} of the combined ceiling"
        share = median_share(rounds, on)
        yield _target(name, share, lambda it: (f"{it:.0%}", it >= _SHARE))


def _sales_where_http_is_fast(rows: Sequence[Row]) -> Target:
    name = f"sale, SQLite, 64 at once: {_SALES_PER_S:,}/s where (a) gives {_FAST_HTTP_PER_S:,}/s"
    http = _found(rows, Part.CEILING, HTTP, "empty handler", 64)
    sale = _found(rows, Part.GATEWAY, SALE, _ONE_WORKER[0], 64)
    if http is None or sale is None:
        return Target(name, _NOT_MEASURED, None)
    measured = f"{sale.per_s:,.0f}/s where (a) gives {http.per_s:,.0f}/s"
    applies = http.per_s >= _FAST_HTTP_PER_S
    return Target(name, measured, sale.per_s >= _SALES_PER_S if applies else None)


def _over_plain(rounds: Sequence[Round]) -> Target:
    name = "sale, PostgreSQL, 64 at once: at least pgbench with a commit for each write"
    over = median_over_plain(rounds, _ONE_WORKER[1])
    return _target(name, over, lambda it: (f"{it:.2f} times", it >= 1))


def _cost(rows: Sequence[Row], on: str) -> Target:
    name = f"gateway's processor time a sale, {on}, 64 at once: at most {_GATEWAY_US} µs"
    sale = _found(rows, Part.GATEWAY, SALE, on, 64)
    cost_us = sale.gateway_us if sale else None
    return _target(name, cost_us, lambda it: (f"{it:,.0f} µs", it <= _GATEWAY_US))


def _tail(rows: Sequence[Row], on: str) -> Target:
    name = f"p99, {on}, 64 at once: at most {_P99_OVER_P50} times p50"
    sale = _found(rows, Part.PAUSE, SALE, on) or _found(rows, Part.GATEWAY, SALE, on, 64)
    ratio = sale.p99_ms / sale.p50_ms if sale and sale.p99_ms and sale.p50_ms else None
    return _target(name, ratio, lambda it: (f"{it:.1f} times", it <= _P99_OVER_P50))


def _pause(rows: Sequence[Row], on: str) -> Target:
    name = f"longest wait, {on}, in a minute at 64: at most {_PAUSE_MS} ms"
    minute = _found(rows, Part.PAUSE, SALE, on)
    longest_ms = minute.max_ms if minute else None
    return _target(name, longest_ms, lambda it: (f"{it:,.0f} ms", it <= _PAUSE_MS))


def _alone(rows: Sequence[Row], on: str) -> Target:
    name = f"one payment alone, {on}: p50 at most two fsyncs + the bank's round trip + 1 ms"
    sync = _found(rows, Part.ALONE, SYNC, "disk")
    trip = next((row for row in rows if (row.part, row.what) == (Part.ALONE, ROUND_TRIP)), None)
    sale = _found(rows, Part.ALONE, SALE, on)
    if not (sync and trip and sale and sync.p50_ms and trip.p50_ms and sale.p50_ms):
        return Target(name, _NOT_MEASURED, None)
    allowed_ms = 2 * sync.p50_ms + trip.p50_ms + _OWN_MS
    measured = f"{sale.p50_ms:.2f} ms of {allowed_ms:.2f} ms"
    return Target(name, measured, sale.p50_ms <= allowed_ms)


def _memory(rows: Sequence[Row]) -> Target:
    name = f"resident memory: within 10 % of that after {FIRST:,} sales"
    found = [row for row in rows if row.part is Part.MEMORY and row.gateway_mib]
    if len(found) < 2:
        return Target(name, _NOT_MEASURED, None)
    first, last = found[0].gateway_mib or 0, found[-1].gateway_mib or 0
    measured = f"{first:.0f} MiB, {last:.0f} MiB {found[-1].note}"
    return Target(name, measured, last <= first * _GROWN_MIB)


def _growth(rows: Sequence[Row], on: str) -> Target:
    name = f"sale rate on a full store, {on}: at least {_GROWN_RATE:.0%} of an empty one's"
    found = {row.note: row for row in rows if row.part is Part.GROWTH and row.on == on}
    if EMPTY not in found or len(found) < 2:
        return Target(name, _NOT_MEASURED, None)
    (full,) = (note for note in found if note != EMPTY)
    share = found[full].per_s / found[EMPTY].per_s
    return Target(name, f"{share:.0%} on {full}", share >= _GROWN_RATE)


def _healthy_rate(rows: Sequence[Row], on: str) -> Target:
    name = f"5 % unanswered, {on}: at least {_HEALTHY_RATE:.0%} of the healthy rate"
    faulty, healthy = _under_faults(rows, on)
    share = faulty.per_s / healthy.per_s if faulty and healthy else None
    return _target(name, share, lambda it: (f"{it:.0%}", it >= _HEALTHY_RATE))


def _healthy_p99(rows: Sequence[Row], on: str) -> Target:
    name = f"5 % unanswered, {on}: p99 of the healthy at most {_HEALTHY_P99} times"
    faulty, healthy = _under_faults(rows, on)
    ratio = (faulty.p99_ms or 0) / (healthy.p99_ms or 1) if faulty and healthy else None
    return _target(name, ratio, lambda it: (f"{it:.1f} times", it <= _HEALTHY_P99))


def _under_faults(rows: Sequence[Row], on: str) -> tuple[Row | None, Row | None]:
    return (
        _found(rows, Part.FAULTS, FIVE_PERCENT.name, on),
        _found(rows, Part.FAULTS, HEALTHY.name, on),
    )


def _each(make: Callable[[Sequence[Row], str], Target], rows: Sequence[Row]) -> Iterator[Target]:
    return (make(rows, on) for on in _ONE_WORKER)


def _target(name: str, value: float | None, judge: Callable[[float], tuple[str, bool]]) -> Target:
    return Target(name, _NOT_MEASURED, None) if value is None else Target(name, *judge(value))


def _found(
    rows: Sequence[Row], part: Part, what: str, on: str, connections: int | None = None
) -> Row | None:
    """The line, of several the one in the middle by its rate."""
    found = [
        row
        for row in rows
        if (row.part, row.what, row.on) == (part, what, on)
        and connections in {None, row.connections}
    ]
    return median_of(found) if found else None
