"""Payments of a given month: their numbers and times are the month's; and a clock to set."""

from dataclasses import replace

from conformance.store.samples import Payment
from conformance.store.seated import StillClock
from netvalve.domain.journal import NewOrder
from netvalve.storage.months import began_at_ms, first_number


def in_month(month: int, one: Payment) -> Payment:
    """A payment that opens an order, as if it had come in that month."""
    opening = transaction_in(month, one).opening
    assert opening.new_order is not None
    transaction = replace(
        opening.transaction, order_id=first_number(month) + opening.transaction.order_id
    )
    order = replace(
        opening.new_order.order,
        order_id=transaction.order_id,
        opening_id=transaction.transaction_id,
        in_flight_id=transaction.transaction_id,
        created_at_ms=transaction.opened_at_ms,
        updated_at_ms=transaction.opened_at_ms,
    )
    new_order = NewOrder(order, opening.new_order.sealed_card)
    return Payment(replace(opening, transaction=transaction, new_order=new_order))


def transaction_in(month: int, one: Payment) -> Payment:
    """Only the transaction is of that month: its order may be of another."""
    transaction = one.transaction
    number = first_number(month) + transaction.transaction_id
    at_ms = began_at_ms(month) + 60_000
    moved = replace(transaction, transaction_id=number, opened_at_ms=at_ms)
    return Payment(replace(one.opening, transaction=moved))


class MovedClock(StillClock):
    """A clock that goes where a test sets it."""

    def set(self, now_ms: int) -> None:
        self._now_ms = now_ms
