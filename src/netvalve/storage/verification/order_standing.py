"""Each order beside what its transactions add up to: one grouped statement over both tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, case, cast, func, select

from netvalve.domain.lifecycle import HOLDS_MONEY, State
from netvalve.domain.transaction import CHARGES, OPENERS, TransactionType
from netvalve.storage.schema import orders, transactions
from netvalve.storage.verification.archived import is_here


@dataclass(frozen=True, slots=True)
class OrderStanding:
    """What an order's row says, then what its transactions say. Money is in minor units."""

    order_id: int
    type: str
    state: str
    amount_minor: int
    authorised_minor: int
    captured_minor: int
    refunded_minor: int
    reserved_minor: int
    opening_id: int
    charge_id: int | None
    in_flight_id: int | None
    openers: int
    first_opener_id: int | None
    opening_type: str | None
    opening_state: str | None
    opening_amount_minor: int | None
    charges: int
    first_charge_id: int | None
    charge_state: str | None
    """Of the transaction that `charge_id` names."""
    pending: int
    first_pending_id: int | None
    cancels: int
    """Approved ones: of the whole hold, or of what a capture has let go."""
    summed_authorised_minor: int
    summed_captured_minor: int
    summed_refunded_minor: int
    summed_reserved_minor: int
    released_minor: int


_Condition = ColumnElement[bool]

_row: Final = transactions.c
_approved: Final[_Condition] = _row.state.in_([*map(str, HOLDS_MONEY)])
_pending: Final[_Condition] = _row.state == str(State.PENDING)
_opener: Final[_Condition] = _row.type.in_([*map(str, OPENERS)])
_charge: Final[_Condition] = and_(_row.type.in_([*map(str, CHARGES)]), _approved)
_cancel: Final[_Condition] = and_(_row.type == str(TransactionType.CANCEL), _approved)
_refund: Final[_Condition] = _row.type == str(TransactionType.REFUND)
_opening: Final[_Condition] = _row.transaction_id == orders.c.opening_id
_approved_minor: Final = func.coalesce(_row.approved_minor, _row.amount_minor)


def _sum(which: _Condition, amount: ColumnElement[int] = _approved_minor) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(case((which, amount), else_=0)), 0), BigInteger)


def _count(which: _Condition) -> ColumnElement[int]:
    return func.count(case((which, 1)))


def _first(which: _Condition, column: ColumnElement[Any] = _row.transaction_id) -> Any:
    """The least value of a column among those; the only one where there is one."""
    return func.min(case((which, column)))


STANDINGS: Final[Select[Any]] = (
    select(
        orders.c.order_id,
        orders.c.type,
        orders.c.state,
        orders.c.amount_minor,
        orders.c.authorised_minor,
        orders.c.captured_minor,
        orders.c.refunded_minor,
        orders.c.reserved_minor,
        orders.c.opening_id,
        orders.c.charge_id,
        orders.c.in_flight_id,
        _count(_opener),
        _first(_opener),
        _first(_opening, _row.type),
        _first(_opening, _row.state),
        _first(_opening, _row.amount_minor),
        _count(_charge),
        _first(_charge),
        _first(_row.transaction_id == orders.c.charge_id, _row.state),
        _count(_pending),
        _first(_pending),
        _count(_cancel),
        _sum(and_(_opener, _approved)),
        _sum(_charge),
        _sum(and_(_refund, _approved)),
        _sum(and_(_refund, _pending), _row.amount_minor),
        _sum(_cancel),
    )
    .select_from(orders.outerjoin(transactions, _row.order_id == orders.c.order_id))
    .where(is_here(orders.c.order_id), is_here(orders.c.opening_id))
    .group_by(orders.c.order_id)
    .order_by(orders.c.order_id)
)
"""Columns in the order of the record's fields."""


def standings(connection: Connection) -> Iterator[OrderStanding]:
    """Every order of the store."""
    return (OrderStanding(*row) for row in connection.execute(STANDINGS))
