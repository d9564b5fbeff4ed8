"""Listings by what rows are counted by: client, account, dates, type, status and currency.

The database's triggers count every row of `orders` and `transactions`, in the commit that writes
it, by its group and the span of time it was created in (see `spans`). So the groups that a search
means are known, and how many rows they have at what time; their rows are read from an index that
begins with the group. A statement here is built once for searches of the same shape.
"""

from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    FromClause,
    Select,
    Subquery,
    Table,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
    union,
    union_all,
)

from netvalve.storage.filters import Condition, in_months
from netvalve.storage.groups import (
    GROUP,
    TRANSACTIONS,
    Listing,
    Listings,
    is_grouped,
    is_meant,
)
from netvalve.storage.schema import tallies, tally_changes
from netvalve.storage.search import Shape, whole_orders, whole_transactions
from netvalve.storage.spans import SPANS_H

_BLOCK_H: Final = SPANS_H[0]
_STATEMENTS_CACHED: Final = 512


@lru_cache(_STATEMENTS_CACHED)
def counts_statement(listings: Listings, shape: Shape, spans: int) -> Select[Any]:
    """(length, number, rows) of so many ranges of spans; under length 0 the changes by the hour.

    Binds `span_h_0`, `first_0`, `end_0` and so on, and `first_hour` and `end_hour`.
    """
    ranges = [
        select(tallies.c.span_h, tallies.c.span, tallies.c.rows).where(
            _of(listing, tallies),
            tallies.c.span_h == bindparam(f"span_h_{n}"),
            tallies.c.span >= bindparam(f"first_{n}"),
            tallies.c.span < bindparam(f"end_{n}"),
            is_meant(listing, shape, tallies),
        )
        for listing in listings
        for n in range(spans)
    ]
    changes = [
        select(
            literal_column("0").label("span_h"), tally_changes.c.hour, tally_changes.c.rows
        ).where(_changes(listing, shape))
        for listing in listings
    ]
    counted = union_all(*ranges, *changes).subquery("counted")
    rows = cast(func.sum(counted.c.rows), BigInteger)
    return select(counted.c.span_h, counted.c.span, rows).group_by(counted.c.span_h, counted.c.span)


@lru_cache(_STATEMENTS_CACHED)
def edge_statement(listings: Listings, shape: Shape) -> Select[Any]:
    """How many rows there are between two moments that no whole hours lie between."""
    counted = union_all(*(_rows_at_the_edge(each, shape) for each in listings)).subquery("counted")
    (rows,) = counted.c
    return select(cast(func.sum(rows), BigInteger)).select_from(counted)


def _rows_at_the_edge(listing: Listing, shape: Shape) -> Select[Any]:
    rows = select(func.count().label("rows")).select_from(listing.table)
    if not is_grouped(shape):
        return rows.where(_of(listing, listing.table), _within(listing))
    groups = _groups(listing, shape)
    of_group = rows.where(_of_group(listing, groups)).correlate(groups).scalar_subquery()
    return select(func.coalesce(func.sum(of_group), 0).label("rows")).select_from(groups)


@lru_cache(_STATEMENTS_CACHED)
def page_statement(listings: Listings, shape: Shape, *, lateral: bool) -> Select[Any]:
    """The rows between two moments after the `offset` newest; their order is for the reader.

    Each group's rows are read newest first. `lateral`: where the database can stop in each group
    after as many as the page may need.
    """
    if not is_grouped(shape):
        (listing,) = listings
        listed = _listed(listing).where(_of(listing, listing.table), _within(listing))
        ordered = listed.order_by(listing.at_ms.desc(), listing.number.desc())
    else:
        rows = _lateral_rows if lateral else _rows
        own = union_all(*(rows(each, shape) for each in listings)).subquery("own")
        ordered = select(own.c.number).order_by(own.c.at_ms.desc(), own.c.number.desc())
    numbers = ordered.limit(bindparam("limit")).offset(bindparam("offset")).subquery("page")
    return whole_transactions(numbers) if listings == (TRANSACTIONS,) else whole_orders(numbers)


def _listed(listing: Listing) -> Select[int, int]:
    return select(listing.at_ms.label("at_ms"), listing.number.label("number"))


def _rows(listing: Listing, shape: Shape) -> Select[int, int]:
    groups = _groups(listing, shape)  # an outer join begins with them, on SQLite
    return _listed(listing).select_from(groups.outerjoin(listing.table, _of_group(listing, groups)))


def _lateral_rows(listing: Listing, shape: Shape) -> Select[int, int]:
    groups = _groups(listing, shape)
    own = (
        _listed(listing)
        .where(_of_group(listing, groups))
        .order_by(listing.at_ms.desc(), listing.number.desc())
        .limit(bindparam("reach"))
        .lateral("own")
    )
    return select(own.c.at_ms, own.c.number).select_from(groups.join(own, true()))


def _groups(listing: Listing, shape: Shape) -> Subquery:
    """The groups that are meant and may have rows between the two moments."""
    counted = select(*(tallies.c[name] for name in GROUP)).where(
        _of(listing, tallies),
        tallies.c.span_h == literal_column(str(_BLOCK_H)),
        tallies.c.span >= bindparam("first_block"),
        tallies.c.span < bindparam("end_block"),
        is_meant(listing, shape, tallies),
    )
    changed = select(*(tally_changes.c[name] for name in GROUP)).where(_changes(listing, shape))
    return union(counted, changed).subquery("groups")


def _of_group(listing: Listing, groups: FromClause) -> Condition:
    own = zip(listing.group, GROUP, strict=True)
    same = (listing.table.c[column] == groups.c[name] for column, name in own)
    return and_(_of(listing, listing.table), *same, _within(listing))


def _within(listing: Listing) -> Condition:
    return and_(
        listing.at_ms >= bindparam("first_ms"),
        listing.at_ms < bindparam("end_ms"),
        in_months(listing.key),
    )


def _changes(listing: Listing, shape: Shape) -> Condition:
    return and_(
        _of(listing, tally_changes),
        tally_changes.c.hour >= bindparam("first_hour"),
        tally_changes.c.hour < bindparam("end_hour"),
        is_meant(listing, shape, tally_changes),
    )


def _of(listing: Listing, table: Table) -> Condition:
    of_client: Condition = table.c.client_id == bindparam("client_id")
    if table is listing.table:
        return of_client
    return and_(of_client, table.c.listing == literal_column(f"'{listing.mark}'"))
