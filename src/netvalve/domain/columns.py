"""Transactions by column: what a listing shows of many, without a record for each of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import NamedTuple, Self

from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction


class TransactionColumns(NamedTuple):
    """Some transactions with what is shown of their orders; all columns are equally long.

    A store fills it in the order of its fields, so that its rows need no record of their own.
    """

    transaction_id: Sequence[int]
    order_id: Sequence[int]
    client_id: Sequence[int]
    mid_id: Sequence[int]
    type: Sequence[str]
    state: Sequence[str]
    amount_minor: Sequence[int]
    approved_minor: Sequence[int | None]
    currency: Sequence[str]
    opened_at_ms: Sequence[int]
    parent_id: Sequence[int | None]
    response_code: Sequence[str | None]
    """None while pending."""
    bank_response_code: Sequence[str | None]
    auth_code: Sequence[str | None]
    rrn: Sequence[str]
    trace_id: Sequence[str]
    client_order_id: Sequence[str | None]
    first_six: Sequence[str]
    last_four: Sequence[str]
    brand: Sequence[str]
    payment_type: Sequence[str]
    wallet_type: Sequence[str | None]
    source: Sequence[str]
    customer: Sequence[Mapping[str, str | None]]
    """By the names of `Customer`; what was not sent may be absent."""

    @classmethod
    def of(cls, found: Iterable[tuple[Transaction, Order]]) -> Self:
        """The columns of records."""
        rows = [_row(transaction, order) for transaction, order in found]
        return cls(*(zip(*rows, strict=True) if rows else ((),) * len(cls._fields)))


def _row(transaction: Transaction, order: Order) -> tuple[object, ...]:
    outcome, details = transaction.outcome, order.details
    return (
        transaction.transaction_id,
        transaction.order_id,
        transaction.client_id,
        transaction.mid_id,
        transaction.type,
        transaction.state,
        transaction.amount_minor,
        outcome and outcome.approved_minor,
        transaction.currency,
        transaction.opened_at_ms,
        transaction.parent_id,
        outcome and outcome.response_code,
        outcome and outcome.bank_response_code,
        outcome and outcome.auth_code,
        transaction.identity.rrn,
        transaction.trace_id,
        order.client_order_id,
        order.card.first_six,
        order.card.last_four,
        order.card.brand,
        details.payment_type,
        details.wallet_type,
        details.source,
        asdict(details.customer),
    )
