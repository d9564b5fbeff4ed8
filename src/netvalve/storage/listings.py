"""How a page and its total are found: the questions to ask, in their order. Asks nobody itself.

Whoever reads a listing takes these steps against its database, all of them in one moment of it:
each question is answered with its rows, and the last step returns what was found. What the
tallies can count is never counted row by row; what they cannot is.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select

from netvalve.domain.order import Order
from netvalve.domain.search import Page, PageRequest, Search
from netvalve.domain.transaction import Transaction
from netvalve.storage.groups import Listings, orders_counted, transactions_counted
from netvalve.storage.mapping import Row, order_of, transaction_on_order_of
from netvalve.storage.months import numbers_between
from netvalve.storage.payers import of_known_payer, payers_count, payers_statement
from netvalve.storage.search import (
    Shape,
    orders_count,
    orders_statement,
    range_of,
    shape_of,
    transactions_count,
    transactions_statement,
    values_of,
)
from netvalve.storage.spans import (
    HOUR_MS,
    SPANS_H,
    Spans,
    Stretch,
    covering,
    needed,
    parts_of,
    stretches,
    too_wide,
    window_of,
)
from netvalve.storage.tallies import counts_statement, edge_statement, page_statement

Question = tuple[Select[Any], Mapping[str, object]]
"""A statement, always the same object for the same text, and what to bind."""
Found = tuple[Sequence[Row], int]
"""The page's rows, in no order, and how many there are in all."""
Steps = Generator[Question, Sequence[Row], Found]

LISTING_MAX_S: Final = 10.0
"""How long the questions of one page may take together."""
_NEAR: Final = 100
"""Rows from the newest on that are rather read of each group than looked for in shorter spans."""
_BLOCK_MS: Final = SPANS_H[0] * HOUR_MS
_SHAPES_CACHED: Final = 512


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the database at hand can do."""

    tallies: bool
    """Not before the revision that brought them."""
    lateral: bool


def orders_steps(search: Search, page: PageRequest, can: Abilities) -> Steps:
    """To a page of orders."""
    shape = shape_of(search)
    if can.tallies and (listings := orders_counted(shape)):
        return _tallied(listings, shape, search, page, lateral=can.lateral)
    return _counted(*_orders_statements(shape), search, page)


def transactions_steps(search: Search, page: PageRequest, can: Abilities) -> Steps:
    """To a page of transactions with their orders."""
    shape = shape_of(search)
    if can.tallies and (listings := transactions_counted(shape)):
        return _tallied(listings, shape, search, page, lateral=can.lateral)
    if can.tallies and of_known_payer(shape):
        return _counted(*_payer_statements(shape), search, page)
    return _counted(*_transactions_statements(shape), search, page)


def newest_orders(rows: Sequence[Row], total: int, page: PageRequest) -> Page[Order]:
    """Newest first by (created, id)."""
    found = sorted(map(order_of, rows), key=lambda each: (-each.created_at_ms, -each.order_id))
    return Page(tuple(found), total, page)


def newest_transactions(
    rows: Sequence[Row], total: int, page: PageRequest
) -> Page[tuple[Transaction, Order]]:
    """Newest first by (opened, id)."""
    found = sorted(
        map(transaction_on_order_of, rows),
        key=lambda each: (-each[0].opened_at_ms, -each[0].transaction_id),
    )
    return Page(tuple(found), total, page)


def _counted(count: Select[Any], rows: Select[Any], search: Search, page: PageRequest) -> Steps:
    values = values_of(search)
    ((total,),) = yield count, values
    offset = page.number * page.size
    if offset >= total:
        return (), total
    bounds = {"limit": page.size, "offset": offset, "reach": offset + page.size}
    return (yield rows, {**values, **bounds}), total


def _tallied(
    listings: Listings, shape: Shape, search: Search, page: PageRequest, *, lateral: bool
) -> Steps:
    values = values_of(search)
    newest_first = yield from _stretches(listings, shape, values, range_of(search))
    offset = page.number * page.size
    while (wide := too_wide(needed(newest_first, offset, page.size))) is not None:
        if lateral and offset + page.size <= _NEAR:
            break  # no group is read any further, however long its span
        parts = yield from _counts(listings, shape, values, [parts_of(wide)])
        newest_first = sorted(
            (*(each for each in newest_first if each is not wide), *parts), key=_newest_first
        )
    total = sum(each.rows for each in newest_first)
    window = window_of(newest_first, offset, page.size)
    if window is None:
        return (), total
    bounds = {
        **_between(window.first_ms, window.end_ms),
        "offset": window.newer,
        "limit": page.size,
        "reach": window.newer + page.size,
    }
    rows = yield page_statement(listings, shape, lateral=lateral), {**values, **bounds}
    return rows, total


def _stretches(
    listings: Listings, shape: Shape, values: Mapping[str, object], between: tuple[int, int]
) -> Generator[Question, Sequence[Row], list[Stretch]]:
    """All rows of a time: whole hours from the tallies, what is left at both ends row by row."""
    first_ms, end_ms = between
    first_hour, end_hour = -(-first_ms // HOUR_MS), end_ms // HOUR_MS
    if first_hour > end_hour:
        return (yield from _edge(listings, shape, values, first_ms, end_ms))
    return [
        *(yield from _edge(listings, shape, values, end_hour * HOUR_MS, end_ms)),
        *(yield from _counts(listings, shape, values, list(covering(first_hour, end_hour)))),
        *(yield from _edge(listings, shape, values, first_ms, first_hour * HOUR_MS)),
    ]


def _counts(
    listings: Listings, shape: Shape, values: Mapping[str, object], spans: Sequence[Spans]
) -> Generator[Question, Sequence[Row], list[Stretch]]:
    if not spans:
        return []
    bounds: dict[str, object] = {
        "first_hour": min(each.first * each.span_h for each in spans),
        "end_hour": max(each.end * each.span_h for each in spans),
    }
    for n, each in enumerate(spans):
        bounds |= {f"span_h_{n}": each.span_h, f"first_{n}": each.first, f"end_{n}": each.end}
    rows = yield counts_statement(listings, shape, len(spans)), {**values, **bounds}
    return stretches(
        spans,
        ((span_h, number, counted) for span_h, number, counted in rows if span_h),
        ((hour, changed) for span_h, hour, changed in rows if not span_h),
    )


def _edge(
    listings: Listings, shape: Shape, values: Mapping[str, object], first_ms: int, end_ms: int
) -> Generator[Question, Sequence[Row], list[Stretch]]:
    if first_ms >= end_ms:
        return []
    ((rows,),) = yield edge_statement(listings, shape), {**values, **_between(first_ms, end_ms)}
    return [Stretch(first_ms, end_ms, rows)] if rows else []


def _between(first_ms: int, end_ms: int) -> dict[str, object]:
    """Two moments, and the spans and numbers that rows between them have."""
    first_number, end_number = numbers_between(first_ms, end_ms)
    return {
        "first_ms": first_ms,
        "end_ms": end_ms,
        "first_hour": first_ms // HOUR_MS,
        "end_hour": -(-end_ms // HOUR_MS),
        "first_block": first_ms // _BLOCK_MS,
        "end_block": -(-end_ms // _BLOCK_MS),
        "first_number": first_number,
        "end_number": end_number,
    }


def _newest_first(stretch: Stretch) -> int:
    return -stretch.first_ms


@lru_cache(_SHAPES_CACHED)
def _orders_statements(shape: Shape) -> tuple[Select[Any], Select[Any]]:
    return orders_count(shape), orders_statement(shape)


@lru_cache(_SHAPES_CACHED)
def _transactions_statements(shape: Shape) -> tuple[Select[Any], Select[Any]]:
    return transactions_count(shape), transactions_statement(shape)


@lru_cache(_SHAPES_CACHED)
def _payer_statements(shape: Shape) -> tuple[Select[Any], Select[Any]]:
    return payers_count(shape), payers_statement(shape)
