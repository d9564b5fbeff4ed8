"""Payments for the store's tests: small, valid, and different only in what a test is about."""

from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from netvalve.domain.card import CardNumber, SealedCard
from netvalve.domain.journal import (
    BalanceChange,
    Claim,
    Closing,
    KeyedRequest,
    NewOrder,
    Opening,
)
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.order import Balance, CardOnOrder, Details, Order
from netvalve.domain.transaction import MessageIdentity, Outcome, Transaction, TransactionType
from netvalve.storage.key_ring import KeyRing
from netvalve.storage.vault import Vault

CLIENT = 1
NOW_MS = 1_750_000_000_000
KEY_LIFE_MS = 86_400_000
APPROVED = Outcome(
    response_code="GTW_1000",
    bank_response_code="00",
    auth_code="TAS390",
    scheme_transaction_id="SCHEME1",
    avs_result="Y",
    cvv2_result="M",
)
VAULT = Vault(KeyRing.generate(), today=lambda: NOW_MS // 86_400_000)

_numbers = count(100_000)


def sealed(number: str, client_id: int = CLIENT) -> SealedCard:
    return VAULT.seal(client_id, next(_numbers), CardNumber(number))


@dataclass(frozen=True)
class Payment:
    """An opening and what closes it."""

    opening: Opening

    @property
    def transaction(self) -> Transaction:
        return self.opening.transaction

    @property
    def order(self) -> Order:
        assert self.opening.new_order is not None
        return self.opening.new_order.order

    def closing(self, event: Event = Event.APPROVED, **changes: Any) -> Closing:
        """The approval of the payment, or what `changes` make of it."""
        kind, amount_minor = self.transaction.type, self.transaction.amount_minor
        captured = amount_minor if kind is not TransactionType.AUTHORIZATION else 0
        defaults: dict[str, Any] = {
            "outcome": APPROVED,
            "order_event": event,
            "balance": BalanceChange(authorised_minor=amount_minor, captured_minor=captured),
            "charge_id": self.transaction.transaction_id if captured else None,
            "answer_mti": "0210",
            "response_code_39": "00",
        }
        return Closing(
            transaction_id=self.transaction.transaction_id,
            order_id=self.transaction.order_id,
            event=event,
            at_ms=self.transaction.opened_at_ms + 50,
            **(defaults | changes),
        )


def payment(
    kind: TransactionType = TransactionType.SALE,
    *,
    amount_minor: int = 1200,
    currency: str = "USD",
    client_id: int = CLIENT,
    client_order_id: str | None = None,
    at_ms: int = NOW_MS,
    mid_id: int = 1,
    site_id: str | None = None,
    number: str = "4012001037141112",
    brand: str = "VISA",
    details: Details | None = None,
    trace_id: str | None = None,
    rrn: str = "516812000001",
    parent_id: int | None = None,
) -> Payment:
    """A payment that opens an order."""
    transaction_id, order_id = next(_numbers), next(_numbers)
    card = sealed(number, client_id)
    trace_id = trace_id or f"trace-{transaction_id}"
    transaction = Transaction(
        transaction_id=transaction_id,
        order_id=order_id,
        client_id=client_id,
        mid_id=mid_id,
        type=kind,
        state=State.PENDING,
        amount_minor=amount_minor,
        currency=currency,
        identity=MessageIdentity("0615120000", f"{transaction_id:06d}", rrn, "NV000000"),
        trace_id=trace_id,
        opened_at_ms=at_ms,
        parent_id=parent_id,
    )
    order = Order(
        order_id=order_id,
        client_id=client_id,
        mid_id=mid_id,
        type=kind,
        state=State.PENDING,
        currency=currency,
        amount_minor=amount_minor,
        balance=Balance(),
        card=CardOnOrder(card.card_id, number[:6], number[-4:], brand, "12", "2030", "J. Smith"),
        trace_id=trace_id,
        created_at_ms=at_ms,
        updated_at_ms=at_ms,
        opening_id=transaction_id,
        in_flight_id=transaction_id,
        client_order_id=client_order_id,
        site_id=site_id,
        details=details or Details(),
    )
    return Payment(Opening(transaction, new_order=NewOrder(order, card), mti="0200"))


def follow_up(
    first: Payment, kind: TransactionType, states: tuple[State, ...], *, amount_minor: int
) -> Payment:
    """A capture, refund or cancel of an order."""
    transaction = replace(
        first.transaction,
        transaction_id=next(_numbers),
        type=kind,
        amount_minor=amount_minor,
        parent_id=first.transaction.transaction_id,
        opened_at_ms=first.transaction.opened_at_ms + 1000,
        trace_id=f"trace-{next(_numbers)}",
    )
    claim = Claim(
        order_id=first.order.order_id,
        client_id=first.order.client_id,
        states=states,
        capture_minor=amount_minor if kind is TransactionType.CAPTURE else 0,
        refund_minor=amount_minor if kind is TransactionType.REFUND else 0,
    )
    return Payment(Opening(transaction, claim=claim, mti="0200"))


def keyed(
    one: Payment, key: str, *, at_ms: int = NOW_MS, since_ms: int = NOW_MS - KEY_LIFE_MS
) -> Payment:
    """The payment, asked for under an idempotency key."""
    request = KeyedRequest(
        client_id=one.transaction.client_id,
        key=key,
        operation="/sale",
        digests={"amount": "0a", "cardNumber": "0b"},
        created_at_ms=at_ms,
    )
    return Payment(replace(one.opening, keyed=request, keys_since_ms=since_ms))


def refund_closing(refund: Payment, event: Event) -> Closing:
    """The approval of a refund, which moves the order by `event`."""
    amount_minor = refund.transaction.amount_minor
    balance = BalanceChange(refunded_minor=amount_minor, reserved_minor=-amount_minor)
    return refund.closing(order_event=event, balance=balance, charge_id=None)
