"""What is still open in a month: what archiving it would break off, or give up."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from netvalve.domain.lifecycle import State
from netvalve.domain.transaction import OPENERS, TransactionType
from netvalve.storage.months import first_number, month_after
from netvalve.storage.schema import forwards, idempotency_keys, orders, transactions


@dataclass(frozen=True, slots=True)
class StillOpen:
    """Counts of what is open in a month and on its orders."""

    pending: int
    """Transactions without an outcome."""
    stored: int
    """Messages that are not done."""
    keyed: int
    """Idempotency keys that are known: a request that comes again is to find its answer."""
    held: int
    """Authorizations that the gateway cancels when their hold time is over."""
    capturable: int
    """Authorizations that nobody ends: their bank cannot cancel."""
    refundable: int
    """Orders of whose captured money not all was given back."""
    rebilled: int
    """Transactions that rebills of later months name."""


def still_open(connection: Connection, month: int) -> StillOpen:
    """Everything that is open. Reads the month's orders through."""
    ends = _ends(month)
    ((keyed,),) = connection.execute(_KEYED, ends)
    ((held, capturable, refundable),) = connection.execute(_ORDERS, ends)
    ((rebilled,),) = connection.execute(_REBILLED, ends)
    return StillOpen(*in_flight(connection, month), keyed, held, capturable, refundable, rebilled)


def in_flight(connection: Connection, month: int) -> tuple[int, int]:
    """Pending transactions and stored messages, from the small indexes of what waits."""
    ((pending,),) = connection.execute(_PENDING, _ends(month))
    ((stored,),) = connection.execute(_STORED, _ends(month))
    return pending, stored


def follows_another(connection: Connection, month: int) -> bool:
    """Whether an earlier month is still there: its orders may have transactions in this one."""
    earlier = select(orders.c.order_id).where(
        orders.c.order_id >= first_number(1), orders.c.order_id < first_number(month)
    )
    return connection.execute(earlier.limit(1)).first() is not None


def _ends(month: int) -> dict[str, int]:
    return {"first": first_number(month), "end": first_number(month_after(month))}


def _within(number: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(number >= _FIRST, number < _END)


def _counts(*which: ColumnElement[bool]) -> list[Any]:
    return [func.count().filter(each) for each in which]


_FIRST: Final[BindParameter[int]] = bindparam("first")
_END: Final[BindParameter[int]] = bindparam("end")
_OF_MONTH: Final = or_(_within(transactions.c.transaction_id), _within(transactions.c.order_id))
_PENDING: Final[Select[Any]] = (
    select(func.count())
    .select_from(transactions)
    .where(transactions.c.state == literal_column(f"'{State.PENDING}'"), _OF_MONTH)
)
"""Its state stands in the text, as in that of the index."""
_STORED: Final[Select[Any]] = (
    select(func.count())
    .select_from(
        forwards.join(transactions, transactions.c.transaction_id == forwards.c.transaction_id)
    )
    .where(forwards.c.done_at_ms.is_(None), _OF_MONTH)
)
_HOLD: Final = and_(
    orders.c.type == str(TransactionType.AUTHORIZATION), orders.c.state == str(State.APPROVED)
)
_refundable_minor: Final = (
    orders.c.captured_minor - orders.c.refunded_minor - orders.c.reserved_minor
)
_ORDERS: Final[Select[Any]] = select(
    *_counts(
        and_(_HOLD, orders.c.expires_at_ms.is_not(None)),
        and_(_HOLD, orders.c.expires_at_ms.is_(None)),
        _refundable_minor > 0,
    )
).where(_within(orders.c.order_id))
_LATER: Final = select(transactions.c.transaction_id).where(
    _within(transactions.c.order_id), transactions.c.transaction_id >= _END
)
"""What later months have of the month's orders."""
_OPENED_LATER: Final = _LATER.where(transactions.c.type.in_([*map(str, OPENERS)]))
"""An order whose number was taken just before the month's end has its opening in the next."""
_KEYED: Final[Select[Any]] = (
    select(func.count())
    .select_from(idempotency_keys)
    .where(
        or_(
            _within(idempotency_keys.c.transaction_id),
            idempotency_keys.c.transaction_id.in_(_OPENED_LATER),
        )
    )
)
_rebills: Final = transactions.alias("rebills")
_REBILLED: Final[Select[Any]] = select(func.count(_rebills.c.parent_id.distinct())).where(
    or_(_within(_rebills.c.parent_id), _rebills.c.parent_id.in_(_LATER)),
    _rebills.c.type == str(TransactionType.REBILL),
    _rebills.c.order_id >= _END,
)
