"""What may be rebilled. Source: wire contract, section 3."""

from dataclasses import replace
from decimal import Decimal

import pytest

from making import ACCOUNT, BANK, a_reference, a_transaction, an_order
from netvalve.domain.client import Channel, Permission
from netvalve.domain.lifecycle import State
from netvalve.domain.order import Details
from netvalve.domain.refusal import ChannelRefused, FieldError, InvalidFields
from netvalve.domain.transaction import TransactionType
from netvalve.payments.commands import RebillCommand
from netvalve.payments.rebill import amount_of_rebill

MARKED = Details(additional_data={"requestTransactionType": "RECURRING"})


def rebill(amount="10", *, parent=None, order=None, **changes):
    reference = a_reference(parent or a_transaction(), order or an_order(), **changes)
    return amount_of_rebill(RebillCommand(1001, Decimal(amount)), reference)


@pytest.mark.parametrize("kind", [TransactionType.SALE, TransactionType.AUTHORIZATION])
@pytest.mark.parametrize("state", [State.APPROVED, State.CAPTURED, State.REFUNDED])
def test_an_approved_sale_or_authorization_is_rebilled(kind, state):
    assert rebill("12.34", parent=a_transaction(kind, state)) == 1234


@pytest.mark.parametrize(
    "kind", [TransactionType.REBILL, TransactionType.CAPTURE, TransactionType.REFUND]
)
def test_nothing_else_is_rebilled(kind):
    assert rebill(parent=a_transaction(kind)).code == "GTW_2013"


@pytest.mark.parametrize(
    ("state", "code"), [(State.PENDING, "GTW_2049"), (State.DECLINED, "GTW_2013")]
)
def test_a_parent_without_approval_is_not_rebilled(state, code):
    assert rebill(parent=a_transaction(state=state)).code == code


def test_an_account_may_ask_for_the_recurring_marker():
    strict = replace(ACCOUNT, rebill_needs_marker=True)
    assert rebill(account=strict).code == "GTW_2081"
    assert rebill(account=strict, order=an_order(details=MARKED)) == 1000


def test_a_disabled_account_is_not_rebilled():
    assert rebill(account=replace(ACCOUNT, enabled=False)).code == "GTW_2000"


@pytest.mark.parametrize(
    "changes",
    [
        {"account": replace(ACCOUNT, permissions=frozenset({Permission.PARTIAL_REFUND}))},
        {"bank": replace(BANK, capabilities=frozenset())},
    ],
)
def test_account_and_bank_must_allow_rebills(changes):
    assert rebill(**changes).code == "GTW_2100"


def test_an_erased_card_is_not_rebilled():
    assert rebill(number=None).code == "GTW_2013"


def test_the_accounts_limits_hold_for_rebills():
    limited = replace(ACCOUNT, amount_min_minor=1_000, amount_max_minor=2_000)
    assert rebill("9.99", account=limited).code == "GTW_2008"
    assert rebill("20.01", account=limited).code == "GTW_2009"
    assert rebill("20", account=limited) == 2_000


def test_an_account_without_the_api_channel_is_not_rebilled():
    closed = replace(ACCOUNT, channels=frozenset({Channel.HPP}))
    assert isinstance(rebill(account=closed), ChannelRefused)


def test_more_than_twelve_digits_are_a_field_error():
    assert rebill("9999999999.99") == 999_999_999_999
    too_much = InvalidFields((FieldError("amount", "GTW_2059"),))
    assert rebill("10000000000") == too_much


def test_too_many_decimals_are_a_field_error():
    assert rebill("1.001") == InvalidFields((FieldError("amount", "GTW_2003"),))
