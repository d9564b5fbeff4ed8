"""What may be captured. Source: wire contract, section 3."""

from dataclasses import replace
from decimal import Decimal

import pytest

from making import ACCOUNT, BANK, a_reference, a_transaction, an_order
from netvalve.domain.client import BankCapability, Permission
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.refusal import FieldError, InvalidFields, Refusal
from netvalve.domain.transaction import TransactionType
from netvalve.payments.capture import CAPTURE, grant_capture
from netvalve.payments.commands import FollowUpCommand
from netvalve.payments.reference import Granted


def capture(amount, *, final=False, parent=None, order=None, **changes):
    command = FollowUpCommand(TransactionType.CAPTURE, 1001, Decimal(amount), final_capture=final)
    reference = a_reference(parent or a_transaction(), order or an_order(), **changes)
    return grant_capture(command, reference)


def test_the_whole_amount_is_captured():
    granted = capture("100.00")
    assert isinstance(granted, Granted)
    assert granted.amount_minor == 10_000
    assert granted.claim.states == (State.APPROVED,)
    assert granted.claim.capture_minor == 10_000


def test_a_part_is_captured_with_the_final_flag():
    granted = capture("40.10", final=True)
    assert isinstance(granted, Granted)
    assert granted.amount_minor == 4010


def test_a_part_without_the_final_flag_is_a_field_error():
    assert capture("40") == InvalidFields((FieldError("amount", "GTW_2038"),))


def test_too_many_decimals_are_a_field_error():
    assert capture("40.001", final=True) == InvalidFields((FieldError("amount", "GTW_2003"),))


def test_more_than_authorised_is_refused():
    assert capture("100.01", final=True).code == "GTW_2124"


def test_a_partially_approved_authorization_is_captured_up_to_what_was_approved():
    assert capture("100", order=an_order(authorised=5_000)).code == "GTW_2124"
    assert capture("50", order=an_order(authorised=5_000)).amount_minor == 5_000


@pytest.mark.parametrize(
    "changes",
    [
        {"account": replace(ACCOUNT, permissions=frozenset({Permission.REBILL}))},
        {"bank": replace(BANK, capabilities=frozenset({BankCapability.CAPTURE}))},
    ],
)
def test_a_part_is_refused_where_account_or_bank_takes_none(changes):
    assert capture("40", final=True, **changes).code == "GTW_2123"
    assert isinstance(capture("100", **changes), Granted)


def test_a_bank_that_cannot_capture_is_named_as_the_reason():
    bank = replace(BANK, capabilities=frozenset())
    assert capture("100", bank=bank).code == "GTW_2100"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (State.PENDING, "GTW_2049"),
        (State.CAPTURED, "GTW_2046"),
        (State.PARTIALLY_SETTLED, "GTW_2046"),
        (State.CANCELLED, "GTW_2047"),
        (State.DECLINED, "GTW_2013"),
        (State.FAILED, "GTW_2013"),
        (State.REVERSING, "GTW_2013"),
        (State.REVERSED, "GTW_2013"),
    ],
)
def test_only_an_open_authorization_is_captured(state, code):
    refused = capture("100", parent=a_transaction(state=state))
    assert isinstance(refused, Refusal)
    assert refused.code == code


@pytest.mark.parametrize("kind", [TransactionType.SALE, TransactionType.REFUND])
def test_another_type_of_transaction_is_not_captured(kind):
    assert capture("100", parent=a_transaction(kind)).code == "GTW_2013"


def test_a_part_moves_the_authorization_to_partially_settled_and_releases_the_rest():
    effect = CAPTURE.effect_of(a_transaction(TransactionType.CAPTURE), an_order(), 4_000)
    assert effect.order_event is Event.PARTIALLY_CAPTURED
    assert effect.released_minor == 6_000
    assert [(move.transaction_id, move.event) for move in effect.moves] == [
        (1001, Event.PARTIALLY_CAPTURED)
    ]
    assert effect.charges
