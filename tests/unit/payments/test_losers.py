"""What is told to who finds an operation of the order in flight: its proper code, in time."""

import time
from decimal import Decimal

import pytest
import structlog

from making import a_reference, a_transaction, an_order
from netvalve.domain.client import Client
from netvalve.domain.lifecycle import State
from netvalve.domain.refusal import Refusal
from netvalve.domain.transaction import TransactionType
from netvalve.payments.commands import FollowUpCommand
from netvalve.payments.gateway import Gateway, Timing

CLIENT = Client(7, "uuid", "Shop")
TURN_WAIT_S = 0.3
CAPTURE, CANCEL, REFUND = TransactionType.CAPTURE, TransactionType.CANCEL, TransactionType.REFUND
SALE = TransactionType.SALE


class Clock:
    def monotonic_s(self):
        return time.monotonic()


class References:
    """The order as it stands, whoever asks."""

    def __init__(self, sight):
        self.sight = sight

    async def of(self, _client_id, _transaction_id):
        return self.sight

    async def transaction(self, _client_id, _transaction_id):
        return self.sight.parent, self.sight.order


def a_gateway(sight):
    references = References(sight)
    return Gateway(
        pipeline=None,
        planner=None,
        records=references,
        references=references,
        configuration=None,
        idempotency=None,
        clock=Clock(),
        timing=Timing(turn_wait_s=TURN_WAIT_S),
        log=structlog.get_logger(wrapper_class=structlog.BoundLogger),
    )


async def told(kind, sight, *, amount=None, gateway=None):
    """The code, and whether it came without waiting for a turn."""
    gateway = gateway or a_gateway(sight)
    begun_s = time.monotonic()
    command = FollowUpCommand(kind, 1001, amount and Decimal(amount))
    answer = await gateway.follow_up(CLIENT, command, trace_id="t", arrived_s=begun_s)
    assert isinstance(answer, Refusal)
    return answer.code, time.monotonic() - begun_s < TURN_WAIT_S / 2


def authorization(state=State.APPROVED, **order):
    return a_reference(a_transaction(state=state), an_order(state=state, **order))


def sale(**order):
    return a_reference(a_transaction(SALE), an_order(SALE, captured=10_000, **order))


@pytest.mark.parametrize("kind", [CAPTURE, CANCEL])
@pytest.mark.parametrize(
    ("state", "code"),
    [
        (State.CAPTURED, "GTW_2046"),
        (State.PARTIALLY_SETTLED, "GTW_2046"),
        (State.CANCELLED, "GTW_2047"),
        (State.DECLINED, "GTW_2013"),
    ],
)
async def test_what_can_never_be_done_is_refused_without_waiting(kind, state, code):
    assert await told(kind, authorization(state, in_flight_id=9)) == (code, True)


@pytest.mark.parametrize("kind", [CAPTURE, CANCEL, REFUND])
async def test_what_may_still_be_done_waits_its_turn_and_is_then_told_so(kind):
    assert await told(kind, authorization(in_flight_id=9)) == ("GTW_2049", False)


@pytest.mark.parametrize("amount", [None, "100.00"])
async def test_a_refund_waits_for_what_another_one_may_give_back(amount):
    reserved = sale(reserved=10_000, in_flight_id=9)
    assert await told(REFUND, reserved, amount=amount) == ("GTW_2049", False)


async def test_a_refund_above_all_that_can_ever_remain_is_refused_without_waiting():
    reserved = sale(reserved=5_000, in_flight_id=9)
    assert await told(REFUND, reserved, amount="100.01") == ("GTW_2108", True)


@pytest.mark.parametrize(
    ("kind", "sight", "code"),
    [
        (CAPTURE, authorization(State.CANCELLED), "GTW_2047"),
        (CANCEL, authorization(State.CAPTURED), "GTW_2046"),
        (REFUND, sale(refunded=10_000), "GTW_2045"),
        (CANCEL, authorization(), "GTW_2049"),
    ],
)
async def test_who_had_no_turn_is_told_what_the_others_made_of_the_order(kind, sight, code):
    gateway = a_gateway(sight)
    async with gateway._turns.take(sight.order.order_id, 1):
        assert await told(kind, sight, gateway=gateway) == (code, False)
