"""Listings by what rows are counted by: client, account, dates, type, status and currency.

The database's triggers count every row of `orders` and `transactions`, in the commit that writes
it, by its group and the span of time it was created in (see `spans`). So the groups that a search
means are known, and how many rows they have at what time; their rows are read from an index that
begins with the group. A statement here is built once for searches of the same shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Table,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    union,
    union_all,
)

from netvalve.domain.lifecycle import HOLDS_MONEY, State
from netvalve.domain.transaction import CHARGES, OPENERS, TransactionType
from netvalve.storage.filters import Condition, in_months, means, one_of
from netvalve.storage.schema import accounts, orders, tallies, tally_changes, transactions
from netvalve.storage.search import Shape, whole_orders, whole_transactions
from netvalve.storage.spans import SPANS_H

GROUP: Final = ("mid_id", "type", "state", "currency")
_COUNTED: Final = frozenset(
    {"from_ms", "to_ms", "mid_id", "netvalve_mid_id", "bank_id", "currency"}
)
_BLOCK_H: Final = SPANS_H[0]
_STATEMENTS_CACHED: Final = 512
_HAS_CHARGE: Final = (State.CAPTURED, State.PARTIALLY_SETTLED)
_HAD_CHARGE: Final = (State.PARTIALLY_REFUNDED, State.REFUNDED)


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """One of the two lists, and what its rows are listed by."""

    mark: str
    table: Table
    at_ms: Column[int]
    number: Column[int]


ORDERS: Final = Listing("O", orders, orders.c.created_at_ms, orders.c.order_id)
TRANSACTIONS: Final = Listing(
    "T", transactions, transactions.c.opened_at_ms, transactions.c.transaction_id
)


def is_counted(listing: Listing, shape: Shape) -> bool:
    """Whether the tallies can tell the rows that a search means from all others."""
    if not shape.given <= _COUNTED or shape.sites:
        return False
    if listing is ORDERS:  # a type is that of some transaction: of the opening one, if of its kind
        return shape.transaction_meanings is None and OPENERS.issuperset(shape.types)
    return shape.order_meanings is None


@lru_cache(_STATEMENTS_CACHED)
def counts_statement(listing: Listing, shape: Shape, spans: int) -> Select[Any]:
    """(length, number, rows) of so many ranges of spans; under length 0 the changes by the hour.

    Binds `span_h_0`, `first_0`, `end_0` and so on, and `first_hour` and `end_hour`.
    """
    ranges = [
        select(tallies.c.span_h, tallies.c.span, tallies.c.rows).where(
            _of(listing, tallies),
            tallies.c.span_h == bindparam(f"span_h_{n}"),
            tallies.c.span >= bindparam(f"first_{n}"),
            tallies.c.span < bindparam(f"end_{n}"),
            _meant(listing, shape, tallies),
        )
        for n in range(spans)
    ]
    changes = select(
        literal_column("0").label("span_h"), tally_changes.c.hour, tally_changes.c.rows
    ).where(_changes(listing, shape))
    counted = union_all(*ranges, changes).subquery("counted")
    rows = cast(func.sum(counted.c.rows), BigInteger)
    return select(counted.c.span_h, counted.c.span, rows).group_by(counted.c.span_h, counted.c.span)


@lru_cache(_STATEMENTS_CACHED)
def edge_statement(listing: Listing, shape: Shape) -> Select[Any]:
    """How many rows there are between two moments that no whole hours lie between."""
    rows = select(func.count()).select_from(listing.table)
    if not _is_grouped(shape):
        return rows.where(_of(listing, listing.table), _within(listing))
    groups = _groups(listing, shape)
    of_group = rows.where(_of_group(listing, groups)).correlate(groups).scalar_subquery()
    return select(cast(func.coalesce(func.sum(of_group), 0), BigInteger)).select_from(groups)


@lru_cache(_STATEMENTS_CACHED)
def page_statement(listing: Listing, shape: Shape, *, lateral: bool) -> Select[Any]:
    """The rows between two moments after the `offset` newest; their order is for the reader.

    Each group's rows are read newest first. `lateral`: where the database can stop in each group
    after as many as the page may need.
    """
    newest_first = (listing.at_ms.desc(), listing.number.desc())
    listed = select(listing.number.label("number"))
    if not _is_grouped(shape):
        page = listed.where(_of(listing, listing.table), _within(listing)).order_by(*newest_first)
    elif lateral:
        groups = _groups(listing, shape)
        own = (
            select(listing.at_ms.label("at_ms"), listing.number.label("number"))
            .where(_of_group(listing, groups))
            .order_by(*newest_first)
            .limit(bindparam("reach"))
            .lateral("own")
        )
        page = (
            select(own.c.number)
            .select_from(groups.join(own, true()))
            .order_by(own.c.at_ms.desc(), own.c.number.desc())
        )
    else:
        groups = _groups(listing, shape)  # an outer join begins with them, on SQLite
        own_rows = groups.outerjoin(listing.table, _of_group(listing, groups))
        page = listed.select_from(own_rows).order_by(*newest_first)
    numbers = page.limit(bindparam("limit")).offset(bindparam("offset")).subquery("page")
    return whole_orders(numbers) if listing is ORDERS else whole_transactions(numbers)


def _is_grouped(shape: Shape) -> bool:
    """Whether not every row of the client is meant."""
    return bool(
        shape.given - {"from_ms", "to_ms"}
        or shape.order_meanings is not None
        or shape.transaction_meanings is not None
        or shape.types
        or shape.only_settled
    )


def _groups(listing: Listing, shape: Shape) -> Subquery:
    """The groups that are meant and may have rows between the two moments."""
    counted = select(*(tallies.c[name] for name in GROUP)).where(
        _of(listing, tallies),
        tallies.c.span_h == literal_column(str(_BLOCK_H)),
        tallies.c.span >= bindparam("first_block"),
        tallies.c.span < bindparam("end_block"),
        _meant(listing, shape, tallies),
    )
    changed = select(*(tally_changes.c[name] for name in GROUP)).where(_changes(listing, shape))
    return union(counted, changed).subquery("groups")


def _of_group(listing: Listing, groups: FromClause) -> Condition:
    same = (listing.table.c[name] == groups.c[name] for name in GROUP)
    return and_(_of(listing, listing.table), *same, _within(listing))


def _within(listing: Listing) -> Condition:
    return and_(
        listing.at_ms >= bindparam("first_ms"),
        listing.at_ms < bindparam("end_ms"),
        in_months(listing.number),
    )


def _changes(listing: Listing, shape: Shape) -> Condition:
    return and_(
        _of(listing, tally_changes),
        tally_changes.c.hour >= bindparam("first_hour"),
        tally_changes.c.hour < bindparam("end_hour"),
        _meant(listing, shape, tally_changes),
    )


def _of(listing: Listing, table: Table) -> Condition:
    of_client: Condition = table.c.client_id == bindparam("client_id")
    if table is listing.table:
        return of_client
    return and_(of_client, table.c.listing == literal_column(f"'{listing.mark}'"))


def _meant(listing: Listing, shape: Shape, table: Table) -> Condition:
    """A group is meant."""
    columns = table.c
    conditions: list[Condition] = [true()]
    for name, column in _accounts(columns.mid_id).items():
        if name in shape.given:
            conditions.append(column)
    if "currency" in shape.given:
        conditions.append(columns.currency == bindparam("currency"))
    of_orders = listing is ORDERS
    meanings = shape.order_meanings if of_orders else shape.transaction_meanings
    if meanings is not None:
        conditions.append(means(columns.type, columns.state, meanings))
    if shape.types:
        conditions.append(one_of(columns.type, shape.types))
    if shape.only_settled:
        settled = _settled_order if of_orders else settled_transaction
        conditions.append(settled(columns.type, columns.state))
    return and_(*conditions)


def _accounts(mid_id: Column[int]) -> Mapping[str, Condition]:
    def having(column: Column[Any], name: str) -> ColumnElement[bool]:
        return mid_id.in_(select(accounts.c.mid_id).where(column == bindparam(name)))

    return {
        "mid_id": mid_id == bindparam("mid_id"),
        "netvalve_mid_id": having(accounts.c.netvalve_mid_id, "netvalve_mid_id"),
        "bank_id": having(accounts.c.bank_id, "bank_id"),
    }


def settled_transaction(kind: Column[str], state: Column[str]) -> Condition:
    """A transaction that brought money."""
    return and_(one_of(kind, CHARGES), one_of(state, HOLDS_MONEY))


def _settled_order(kind: Column[str], state: Column[str]) -> Condition:
    """An order of which money was captured, as its type and state say."""
    sold = and_(kind != str(TransactionType.AUTHORIZATION), state == str(State.APPROVED))
    return or_(one_of(state, (*_HAS_CHARGE, *_HAD_CHARGE)), sold)
