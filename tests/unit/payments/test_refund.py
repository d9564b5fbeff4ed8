"""What may be refunded: one balance, the order's. Source: wire contract, section 3."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from making import ACCOUNT, BANK, a_reference, a_transaction, an_order
from netvalve.domain.client import BankCapability, Permission
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.refusal import FieldError, InvalidFields
from netvalve.domain.transaction import TransactionType
from netvalve.payments.commands import FollowUpCommand
from netvalve.payments.reference import Granted
from netvalve.payments.refund import REFUND, grant_refund

SALE = TransactionType.SALE


def refund(amount=None, *, parent=None, order=None, **changes):
    command = FollowUpCommand(TransactionType.REFUND, 1001, amount and Decimal(amount))
    order = order or an_order(SALE, captured=10_000)
    return grant_refund(command, a_reference(parent or a_transaction(SALE), order, **changes))


def test_without_an_amount_all_that_remains_is_refunded():
    order = an_order(SALE, State.PARTIALLY_REFUNDED, captured=10_000, refunded=2_500)
    assert refund(order=order).amount_minor == 7_500


@given(st.integers(1, 10_000), st.integers(0, 10_000), st.integers(0, 10_000))
def test_no_refund_takes_more_than_remains(asked, refunded, reserved):
    order = an_order(SALE, captured=10_000, refunded=refunded, reserved=reserved)
    granted = refund(f"{asked / 100:.2f}", order=order)
    remains = 10_000 - refunded - reserved
    assert isinstance(granted, Granted) == (asked <= remains)


def test_above_the_remaining_amount_is_refused():
    assert refund("100.01").code == "GTW_2108"


def test_nothing_left_is_already_refunded():
    order = an_order(SALE, State.REFUNDED, captured=10_000, refunded=10_000)
    assert refund("1", order=order).code == "GTW_2045"


@pytest.mark.parametrize(
    "changes",
    [
        {"account": replace(ACCOUNT, permissions=frozenset({Permission.REBILL}))},
        {"bank": replace(BANK, capabilities=frozenset({BankCapability.REFUND}))},
    ],
)
def test_a_part_is_refused_where_account_or_bank_takes_none(changes):
    assert refund("99.99", **changes).code == "GTW_2107"
    assert isinstance(refund("100", **changes), Granted)


def test_too_many_decimals_are_a_field_error():
    assert refund("1.001") == InvalidFields((FieldError("amount", "GTW_2003"),))


def test_a_bank_that_cannot_refund_is_named_as_the_reason():
    assert refund(bank=replace(BANK, capabilities=frozenset())).code == "GTW_2100"


@pytest.mark.parametrize("kind", [SALE, TransactionType.REBILL, TransactionType.CAPTURE])
def test_every_charge_can_be_refunded(kind):
    assert isinstance(refund(parent=a_transaction(kind)), Granted)


def test_an_authorization_is_refunded_once_it_is_captured():
    parent = a_transaction(state=State.CAPTURED)
    assert refund(parent=a_transaction(), order=an_order()).code == "GTW_2013"
    captured = an_order(state=State.CAPTURED, captured=10_000, charge_id=1002)
    assert isinstance(refund(parent=parent, order=captured), Granted)


@pytest.mark.parametrize("kind", [TransactionType.REFUND, TransactionType.CANCEL])
def test_what_holds_no_money_is_not_refunded(kind):
    assert refund(parent=a_transaction(kind)).code == "GTW_2013"


@pytest.mark.parametrize(
    ("state", "code"), [(State.PENDING, "GTW_2049"), (State.DECLINED, "GTW_2013")]
)
def test_a_charge_without_approval_is_not_refunded(state, code):
    assert refund(parent=a_transaction(SALE, state)).code == code


@pytest.mark.parametrize(
    ("amount_minor", "event"), [(2_500, Event.PARTIALLY_REFUNDED), (7_500, Event.REFUNDED)]
)
def test_the_charge_moves_with_its_refunds(amount_minor, event):
    order = an_order(SALE, captured=10_000, refunded=2_500, charge_id=1002)
    refunding = a_transaction(TransactionType.REFUND, amount_minor=amount_minor)
    effect = REFUND.effect_of(refunding, order, amount_minor)
    assert effect.order_event is event
    assert [(move.transaction_id, move.event) for move in effect.moves] == [(1002, event)]
    assert effect.balance.refunded_minor == amount_minor
    assert effect.balance.reserved_minor == -amount_minor
