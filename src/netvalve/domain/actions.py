"""What may follow on a transaction, by the table of lifecycles and the order's balance. Pure."""

from netvalve.domain.lifecycle import HOLDS_MONEY, Event, sources_of
from netvalve.domain.order import Order
from netvalve.domain.transaction import CHARGES, Transaction, TransactionType

_CAPTURABLE = frozenset(sources_of(Event.CAPTURED))
_CANCELLABLE = frozenset(sources_of(Event.CANCELLED))
_REFUNDABLE = frozenset(sources_of(Event.REFUNDED))
_REBILLABLE = frozenset({TransactionType.SALE, TransactionType.AUTHORIZATION})


def allowed_actions(transaction: Transaction, order: Order) -> tuple[TransactionType, ...]:
    """Which of CAPTURE, CANCEL, REFUND and REBILL may name this transaction now.

    An order with something in flight allows only the rebill, which opens an order of its own.
    """
    return tuple(
        action
        for action, allowed in (
            (TransactionType.CAPTURE, _takes(transaction, order, _CAPTURABLE)),
            (TransactionType.CANCEL, _takes(transaction, order, _CANCELLABLE)),
            (TransactionType.REFUND, _refundable(transaction, order)),
            (TransactionType.REBILL, _rebillable(transaction)),
        )
        if allowed
    )


def _takes(transaction: Transaction, order: Order, states: frozenset[object]) -> bool:
    """An authorization is captured or cancelled once, while nothing else has happened to it."""
    return (
        transaction.type is TransactionType.AUTHORIZATION
        and transaction.state in states
        and order.state in states
        and order.in_flight_id is None
    )


def _refundable(transaction: Transaction, order: Order) -> bool:
    """Whichever transaction brought the money, or the authorization it was captured from."""
    if order.in_flight_id is not None or order.balance.refundable_minor <= 0:
        return False
    if transaction.type is TransactionType.AUTHORIZATION:
        return transaction.state in HOLDS_MONEY
    return transaction.type in CHARGES and transaction.state in _REFUNDABLE


def _rebillable(transaction: Transaction) -> bool:
    return transaction.type in _REBILLABLE and transaction.state in HOLDS_MONEY
