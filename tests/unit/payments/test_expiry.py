"""A hold that is over is cancelled through the gateway, or put off; and no failure stops the rest.

Store, gateway and bank are played here, because only a player fails on cue.
"""

import asyncio
from dataclasses import replace

import pytest
import structlog

from making import ACCOUNT, BANK, a_transaction, an_order
from netvalve.domain.client import Client
from netvalve.domain.directory import Directory
from netvalve.domain.journal import StoreUnavailable
from netvalve.domain.lifecycle import State
from netvalve.domain.refusal import Refusal
from netvalve.domain.transaction import TransactionType
from netvalve.payments.expiry import (
    AT_ONCE_MAX,
    NOT_SENT_PAUSE_MS,
    REASON,
    REFUSED_PAUSE_MS,
    Expiry,
)

NOW_MS = 1_795_000_100_000
CANCELLED = a_transaction(TransactionType.CANCEL)


class Clock:
    def now_ms(self):
        return NOW_MS

    def monotonic_s(self):
        return asyncio.get_running_loop().time()


class Store:
    """Holds that are over, each found until it is cancelled or put off."""

    def __init__(self, *orders):
        self.orders = {each.order_id: each for each in orders}
        self.put_offs, self.broken = {}, 0

    async def due(self, _now_ms, _limit):
        self.fail_if_broken()
        return tuple(self.orders.values())

    async def put_off(self, order_id, expires_at_ms):
        self.fail_if_broken()
        del self.orders[order_id]
        self.put_offs[order_id] = expires_at_ms - NOW_MS

    def fail_if_broken(self):
        if self.broken:
            self.broken -= 1
            raise StoreUnavailable("away")


class Gateway:
    """Answers every cancel the same; notes whose it was, and how many there were at once."""

    def __init__(self, store, answer):
        self.store, self.answer = store, answer
        self.asked, self.at_once, self.at_once_max = [], 0, 0

    async def follow_up(self, client, command, *, trace_id, **_arrived):
        self.asked.append((client, command, trace_id))
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        await asyncio.sleep(0)
        self.at_once -= 1
        if isinstance(self.answer, Exception):
            raise self.answer
        if not isinstance(self.answer, Refusal) and self.answer[0].state is State.APPROVED:
            self.store.orders = {
                number: each
                for number, each in self.store.orders.items()
                if each.opening_id != command.transaction_id
            }
        return self.answer


class Banks:
    def __init__(self, *, ready):
        self.ready = ready

    def link(self, _profile):
        return self


class Configuration:
    directory = Directory.of(
        1,
        clients=[Client(7, "uuid", "Shop", enabled=False)],
        banks=[BANK],
        accounts=[replace(ACCOUNT, enabled=False)],
    )
    fresh = True


async def worked(store, answer, *, ready=True, rounds=1):
    """What the gateway was asked in so many rounds of the worker."""
    gateway = Gateway(store, answer)
    expiry = Expiry(
        expiring=store,
        gateway=gateway,
        configuration=Configuration(),
        banks=Banks(ready=ready),
        clock=Clock(),
        poll_s=0.05,
        log=structlog.get_logger(wrapper_class=structlog.BoundLogger),
    )
    task = asyncio.create_task(expiry.run())
    await asyncio.sleep(0.05 * rounds + 0.03)
    assert not task.done()
    task.cancel()
    return gateway


def holds(count):
    return [
        an_order(order_id=5000 + number, opening_id=1000 + number, trace_id=f"trace-{number}")
        for number in range(1, count + 1)
    ]


def ended(state):
    return replace(CANCELLED, state=state), an_order()


async def test_a_hold_that_is_over_is_cancelled_in_the_name_of_its_disabled_client():
    store = Store(*holds(1))
    ((client, command, trace_id),) = (await worked(store, ended(State.APPROVED))).asked
    assert (client.client_id, client.enabled) == (7, False)
    assert (command.type, command.transaction_id) == (TransactionType.CANCEL, 1001)
    assert (command.reason, trace_id) == (REASON, "trace-1")
    assert store.put_offs == {}


async def test_a_bank_that_is_away_is_asked_nothing_and_looked_for_again_in_a_minute():
    store = Store(*holds(2))
    assert (await worked(store, ended(State.APPROVED), ready=False)).asked == []
    assert store.put_offs == {5001: NOT_SENT_PAUSE_MS, 5002: NOT_SENT_PAUSE_MS}


@pytest.mark.parametrize(
    ("answer", "pause_ms"),
    [
        (ended(State.FAILED), NOT_SENT_PAUSE_MS),
        (StoreUnavailable("away"), NOT_SENT_PAUSE_MS),
        (ended(State.DECLINED), REFUSED_PAUSE_MS),
        (Refusal("GTW_2100"), REFUSED_PAUSE_MS),
        (LookupError("erased"), REFUSED_PAUSE_MS),
    ],
)
async def test_what_is_not_cancelled_is_put_off(answer, pause_ms):
    store = Store(*holds(1))
    gateway = await worked(store, answer, rounds=3)
    assert store.put_offs == {5001: pause_ms}
    assert len(gateway.asked) == 1


@pytest.mark.parametrize("code", ["GTW_2046", "GTW_2047", "GTW_2049"])
async def test_what_somebody_else_has_ended_is_left_alone(code):
    store = Store(*holds(1))
    await worked(store, Refusal(code))
    assert store.put_offs == {}


async def test_a_cancel_without_an_answer_is_left_to_its_repeats():
    store = Store(*holds(1))
    await worked(store, ended(State.PENDING))
    assert store.put_offs == {}


async def test_only_so_many_are_cancelled_at_once():
    store = Store(*holds(50))
    gateway = await worked(store, ended(State.APPROVED))
    assert len(gateway.asked) == 50
    assert gateway.at_once_max == AT_ONCE_MAX


async def test_a_store_that_is_away_ends_nothing_for_good():
    store = Store(*holds(1))
    store.broken = 2
    await worked(store, ended(State.APPROVED), rounds=4)
    assert store.orders == {}


async def test_what_cannot_be_put_off_waits_for_the_next_round_and_stops_no_other():
    store = Store(*holds(2))

    async def broken_once(*_arguments, real=store.put_off):
        store.put_off = real
        raise StoreUnavailable("away")

    store.put_off = broken_once
    gateway = await worked(store, ended(State.DECLINED), rounds=3)
    assert [command.transaction_id for _, command, _ in gateway.asked] == [1001, 1002, 1001]
    assert {*store.put_offs} == {5001, 5002}
