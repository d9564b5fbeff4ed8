"""What rows are counted by: their lists, their groups, and which of these a search means.

Orders by their transactions are two lists in one: the followed orders, by their course (see
`courses`), and all others by the one transaction that opened them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Table, and_, bindparam, not_, or_, select, true

from netvalve.domain.lifecycle import HOLDS_MONEY, State
from netvalve.domain.transaction import CHARGES, OPENERS, TransactionType
from netvalve.storage import courses
from netvalve.storage.filters import Condition, means, one_of
from netvalve.storage.schema import accounts, followed_orders, orders, transactions
from netvalve.storage.search import Shape

GROUP: Final = ("mid_id", "type", "state", "currency")
_COUNTED: Final = frozenset(
    {"from_ms", "to_ms", "mid_id", "netvalve_mid_id", "bank_id", "currency"}
)
_HAS_CHARGE: Final = (State.CAPTURED, State.PARTIALLY_SETTLED)
_HAD_CHARGE: Final = (State.PARTIALLY_REFUNDED, State.REFUNDED)


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """A list, and what its rows are listed by."""

    mark: str
    table: Table
    at_ms: Column[int]
    number: Column[int]
    """Of what is shown."""
    key: Column[int]
    """The number that the table is cut by."""
    group: tuple[str, ...] = GROUP
    """The table's own columns in the place of those."""


ORDERS: Final = Listing("O", orders, orders.c.created_at_ms, orders.c.order_id, orders.c.order_id)
TRANSACTIONS: Final = Listing(
    "T",
    transactions,
    transactions.c.opened_at_ms,
    transactions.c.transaction_id,
    transactions.c.transaction_id,
)
FOLLOWED: Final = Listing(
    "F",
    followed_orders,
    followed_orders.c.created_at_ms,
    followed_orders.c.order_id,
    followed_orders.c.order_id,
    ("mid_id", "course", "state", "currency"),
)
"""Orders by what has followed on them. A course stands where others have their type."""
OPENED: Final = Listing(
    "T",
    transactions,
    transactions.c.opened_at_ms,
    transactions.c.order_id,
    transactions.c.transaction_id,
)
"""Orders by what opened them, which is one transaction each."""

Listings = tuple[Listing, ...]
"""One, or some that have no row in common."""


def orders_counted(shape: Shape) -> Listings:
    """The lists whose tallies tell the orders that a search means from all others, if any do."""
    if not shape.given <= _COUNTED or shape.sites:
        return ()
    if shape.transaction_meanings is None and OPENERS.issuperset(shape.types):
        return (ORDERS,)
    if not any(_steps(shape, openings=True)):
        return (FOLLOWED,)
    if shape.order_meanings is not None or shape.only_settled:
        return ()  # neither stands with the transaction that opened the order
    return (FOLLOWED, OPENED)


def transactions_counted(shape: Shape) -> Listings:
    """The same of transactions."""
    known = shape.given <= _COUNTED and not shape.sites and shape.order_meanings is None
    return (TRANSACTIONS,) if known else ()


def is_grouped(shape: Shape) -> bool:
    """Whether not every row of the client is meant."""
    return bool(
        shape.given - {"from_ms", "to_ms"}
        or shape.order_meanings is not None
        or shape.transaction_meanings is not None
        or shape.types
        or shape.only_settled
    )


def is_meant(listing: Listing, shape: Shape, table: Table) -> Condition:
    """A group is meant."""
    columns = table.c
    conditions: list[Condition] = [true()]
    for name, column in _accounts(columns.mid_id).items():
        if name in shape.given:
            conditions.append(column)
    if "currency" in shape.given:
        conditions.append(columns.currency == bindparam("currency"))
    conditions += _OWN_CONDITIONS[listing](table, shape)
    return and_(*conditions)


def _order_is_meant(table: Table, shape: Shape) -> Iterator[Condition]:
    if shape.order_meanings is not None:
        yield means(table.c.type, table.c.state, shape.order_meanings)
    if shape.types:
        yield one_of(table.c.type, shape.types)
    if shape.only_settled:
        sold = table.c.type != str(TransactionType.AUTHORIZATION)
        yield _settled_order(sold, table.c.state)


def _transaction_is_meant(table: Table, shape: Shape) -> Iterator[Condition]:
    if shape.transaction_meanings is not None:
        yield means(table.c.type, table.c.state, shape.transaction_meanings)
    if shape.types:
        yield one_of(table.c.type, shape.types)
    if shape.only_settled:
        yield settled_transaction(table.c.type, table.c.state)


def _followed_is_meant(table: Table, shape: Shape) -> Iterator[Condition]:
    """What has followed is meant, and what opened the order is not: that is listed by itself."""
    course = table.c.type
    yield courses.has(course, _steps(shape, openings=False))
    yield not_(courses.has(course, _steps(shape, openings=True)))
    if shape.order_meanings is not None:
        yield courses.means(course, table.c.state, shape.order_meanings)
    if shape.only_settled:
        sold = courses.opened_as(course, OPENERS - {TransactionType.AUTHORIZATION})
        yield _settled_order(sold, table.c.state)


def _opening_is_meant(table: Table, shape: Shape) -> Iterator[Condition]:
    yield one_of(table.c.type, OPENERS)
    yield from _transaction_is_meant(table, shape)


def _steps(shape: Shape, *, openings: bool) -> Iterator[str]:
    return courses.steps(shape.types, shape.transaction_meanings, openings=openings)


_OWN_CONDITIONS: Final[Mapping[Listing, Callable[[Table, Shape], Iterator[Condition]]]] = {
    ORDERS: _order_is_meant,
    TRANSACTIONS: _transaction_is_meant,
    FOLLOWED: _followed_is_meant,
    OPENED: _opening_is_meant,
}


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


def _settled_order(sold: Condition, state: Column[str]) -> Condition:
    """An order of which money was captured, as its type and state say."""
    return or_(
        one_of(state, (*_HAS_CHARGE, *_HAD_CHARGE)), and_(sold, state == str(State.APPROVED))
    )
