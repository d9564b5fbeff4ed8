"""What may be cancelled. Source: wire contract, section 3."""

from dataclasses import replace

import pytest

from making import BANK, a_reference, a_transaction, an_order
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import TransactionType
from netvalve.payments.cancel import CANCEL, grant_cancel
from netvalve.payments.reference import Granted


def cancel(parent=None, **changes):
    return grant_cancel(a_reference(parent or a_transaction(), an_order(), **changes))


def test_an_open_authorization_is_cancelled_whole():
    granted = cancel()
    assert isinstance(granted, Granted)
    assert granted.amount_minor == 10_000
    assert granted.claim.states == (State.APPROVED,)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (State.PENDING, "GTW_2049"),
        (State.CAPTURED, "GTW_2046"),
        (State.PARTIALLY_SETTLED, "GTW_2046"),
        (State.CANCELLED, "GTW_2047"),
        (State.DECLINED, "GTW_2013"),
        (State.REVERSED, "GTW_2013"),
    ],
)
def test_only_an_open_authorization_is_cancelled(state, code):
    assert cancel(a_transaction(state=state)).code == code


def test_a_sale_is_not_cancelled():
    assert cancel(a_transaction(TransactionType.SALE)).code == "GTW_2013"


def test_a_bank_that_cannot_cancel_is_named_as_the_reason():
    assert cancel(bank=replace(BANK, capabilities=frozenset())).code == "GTW_2100"


def test_the_authorization_moves_with_its_cancel():
    effect = CANCEL.effect_of(a_transaction(TransactionType.CANCEL), an_order(), 10_000)
    assert effect.order_event is Event.CANCELLED
    assert [(move.transaction_id, move.event) for move in effect.moves] == [(1001, Event.CANCELLED)]
