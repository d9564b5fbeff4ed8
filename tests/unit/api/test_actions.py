"""What may follow on a transaction, by its state and the order's balance."""

import pytest

from making import a_transaction, an_order
from netvalve.domain.actions import allowed_actions
from netvalve.domain.lifecycle import State
from netvalve.domain.transaction import TransactionType

AUTHORIZATION, SALE = TransactionType.AUTHORIZATION, TransactionType.SALE
CAPTURE, REBILL = TransactionType.CAPTURE, TransactionType.REBILL
CANCEL, REFUND = TransactionType.CANCEL, TransactionType.REFUND


@pytest.mark.parametrize(
    ("kind", "state", "captured", "refunded", "allowed"),
    [
        (AUTHORIZATION, State.APPROVED, 0, 0, (CAPTURE, CANCEL, REBILL)),
        (AUTHORIZATION, State.CAPTURED, 100, 0, (REFUND, REBILL)),
        (AUTHORIZATION, State.PARTIALLY_SETTLED, 60, 0, (REFUND, REBILL)),
        (AUTHORIZATION, State.CANCELLED, 0, 0, (REBILL,)),
        (AUTHORIZATION, State.DECLINED, 0, 0, ()),
        (SALE, State.APPROVED, 100, 0, (REFUND, REBILL)),
        (SALE, State.PARTIALLY_REFUNDED, 100, 40, (REFUND, REBILL)),
        (SALE, State.REFUNDED, 100, 100, (REBILL,)),
        (SALE, State.FAILED, 0, 0, ()),
        (SALE, State.REVERSED, 0, 0, ()),
        (REBILL, State.APPROVED, 100, 0, (REFUND,)),
        (CAPTURE, State.APPROVED, 100, 0, (REFUND,)),
        (REFUND, State.APPROVED, 100, 50, ()),
        (CANCEL, State.APPROVED, 0, 0, ()),
    ],
)
def test_allowed_actions_follow_state_and_balance(
    kind: TransactionType,
    state: State,
    captured: int,
    refunded: int,
    allowed: tuple[TransactionType, ...],
) -> None:
    order = an_order(kind, state, captured=captured, refunded=refunded)
    assert allowed_actions(a_transaction(kind, state), order) == allowed


def test_order_with_something_in_flight_allows_the_rebill_alone() -> None:
    order = an_order(SALE, captured=100, in_flight_id=1002)
    assert allowed_actions(a_transaction(SALE), order) == (REBILL,)
    order = an_order(AUTHORIZATION, in_flight_id=1002)
    assert allowed_actions(a_transaction(AUTHORIZATION), order) == (REBILL,)
