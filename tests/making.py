"""Domain records for tests: whole and plain, each test changes what it is about."""

from dataclasses import replace
from typing import Any

from netvalve.catalogue.currencies import currency
from netvalve.domain.card import CardNumber
from netvalve.domain.client import BankCapability, BankProfile, MerchantAccount
from netvalve.domain.lifecycle import State
from netvalve.domain.order import Balance, CardOnOrder, Order
from netvalve.domain.transaction import (
    CHARGES,
    MessageIdentity,
    Outcome,
    Transaction,
    TransactionType,
)
from netvalve.payments.reference import Reference

BANK = BankProfile(1, "Mock Bank", frozenset(BankCapability), "GTW_2090")
ACCOUNT = MerchantAccount(
    mid_id=1,
    netvalve_mid_id="289e253d-f955-4e29-a2c7-bb1805883ee0",
    client_id=7,
    bank_id=1,
    name="Shop",
    currency="USD",
    bank_merchant_id="000000000000001",
    descriptor="SHOP",
    mcc="5999",
    country="US",
)
IDENTITY = MessageIdentity("1122130000", "000042", "632613000042", "NV000000")
CARD = CardOnOrder(5, "401200", "5439", "VISA", "12", "2030")


def a_transaction(
    kind: TransactionType = TransactionType.AUTHORIZATION,
    state: State = State.APPROVED,
    **changes: Any,
) -> Transaction:
    """An ended transaction of 100.00 USD, approved unless said otherwise."""
    pending = state is State.PENDING
    transaction = Transaction(
        transaction_id=1001,
        order_id=5001,
        client_id=ACCOUNT.client_id,
        mid_id=ACCOUNT.mid_id,
        type=kind,
        state=state,
        amount_minor=10_000,
        currency="USD",
        identity=IDENTITY,
        trace_id="8baeb75c-044f-43bb-a874-ce71049533a6",
        opened_at_ms=1_795_000_000_000,
        closed_at_ms=None if pending else 1_795_000_000_140,
        outcome=None if pending else Outcome("GTW_1000", "00", "TAS390", "123456789012345"),
    )
    return replace(transaction, **changes)


def an_order(
    kind: TransactionType = TransactionType.AUTHORIZATION,
    state: State = State.APPROVED,
    *,
    authorised: int = 10_000,
    captured: int = 0,
    refunded: int = 0,
    reserved: int = 0,
    **changes: Any,
) -> Order:
    """An order of 100.00 USD whose opening transaction is 1001."""
    order = Order(
        order_id=5001,
        client_id=ACCOUNT.client_id,
        mid_id=ACCOUNT.mid_id,
        type=kind,
        state=state,
        currency="USD",
        amount_minor=10_000,
        balance=Balance(authorised, captured, refunded, reserved),
        card=CARD,
        trace_id="8baeb75c-044f-43bb-a874-ce71049533a6",
        created_at_ms=1_795_000_000_000,
        updated_at_ms=1_795_000_000_140,
        opening_id=1001,
        charge_id=1001 if kind in CHARGES else None,
    )
    return replace(order, **changes)


def a_reference(parent: Transaction, order: Order, **changes: Any) -> Reference:
    """What a follow-up refers to, at an account and a bank that allow everything."""
    reference = Reference(
        parent=parent,
        order=order,
        account=ACCOUNT,
        bank=BANK,
        currency=currency("USD"),
        number=CardNumber("4012000098765439"),
        charge=None,
    )
    return replace(reference, **changes)
