"""A hold that is over is cancelled through the gateway, or put off; and no failure stops the rest.

Store, gateway and banks are played here, because only a player fails on cue.
"""

import asyncio
from dataclasses import replace

import pytest
import structlog
from structlog.testing import capture_logs

from making import ACCOUNT, BANK, a_transaction, an_order
from netvalve.domain.client import Client
from netvalve.domain.directory import Directory
from netvalve.domain.journal import StoreUnavailable
from netvalve.domain.lifecycle import State
from netvalve.domain.refusal import Refusal
from netvalve.domain.transaction import Outcome, TransactionType
from netvalve.payments.expiry import AT_ONCE_MAX, DUE_MAX, Expiry
from netvalve.payments.hold_ends import NOT_SENT_PAUSE_MS, REASON, HoldEnds
from netvalve.telemetry.metrics import Metrics

NOW_MS = 1_795_000_100_000
HOUR_MS = 3_600_000
POLL_S = 0.05
LONG_POLL_S = 0.5
"""Long enough for everything that does not wait for another poll."""
OTHER_BANK = replace(BANK, bank_id=2, name="Other Bank")
OTHER_ACCOUNT = replace(ACCOUNT, mid_id=2, bank_id=2)


class Clock:
    def now_ms(self):
        return NOW_MS

    def monotonic_s(self):
        return asyncio.get_running_loop().time()


class Store:
    """Holds that are over, each found until it is cancelled or put off; and what was refused."""

    def __init__(self, *orders, refused=()):
        self.orders = {each.order_id: each for each in orders}
        self.refused = refused
        self.put_offs, self.broken, self.looks = {}, 0, []

    async def due(self, bank_id, _now_ms, limit):
        self.fail_if_broken()
        self.looks.append(bank_id)
        at_bank = [each for each in self.orders.values() if each.mid_id == bank_id]
        return tuple(at_bank[:limit])

    async def put_off(self, order_id, expires_at_ms):
        self.fail_if_broken()
        del self.orders[order_id]
        self.put_offs[order_id] = expires_at_ms - NOW_MS

    async def transactions_of(self, _client_id, _order_id):
        return (a_transaction(), *self.refused)

    def end(self, opening_id):
        rest = (each for each in self.orders.values() if each.opening_id != opening_id)
        self.orders = {each.order_id: each for each in rest}

    def fail_if_broken(self):
        if self.broken:
            self.broken -= 1
            raise StoreUnavailable("away")


class Gateway:
    """Answers every cancel the same; notes whose it was, and how many there were at once."""

    def __init__(self, store, answer, silent_about=()):
        self.store, self.answer, self.silent_about = store, answer, silent_about
        self.asked, self.at_once, self.at_once_max = [], 0, 0

    @property
    def numbers(self):
        return [command.transaction_id for _, command, _ in self.asked]

    async def follow_up(self, client, command, *, trace_id, **_arrived):
        self.asked.append((client, command, trace_id))
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        await asyncio.sleep(60 if command.transaction_id in self.silent_about else 0)
        self.at_once -= 1
        if isinstance(self.answer, Exception):
            raise self.answer
        if not isinstance(self.answer, Refusal) and self.answer[0].state is State.APPROVED:
            self.store.end(command.transaction_id)
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
        banks=[BANK, OTHER_BANK],
        accounts=[replace(ACCOUNT, enabled=False), OTHER_ACCOUNT],
    )
    fresh = True


async def worked(store, answer, *, rounds=1, poll_s=POLL_S, silent_about=(), **played):
    """What the gateway was asked in so many polls of the worker."""
    gateway = Gateway(store, answer, silent_about)
    banks, metrics = played.get("banks") or Banks(ready=True), played.get("metrics") or Metrics()
    log = structlog.get_logger(wrapper_class=structlog.BoundLogger)
    shared = {"expiring": store, "configuration": Configuration(), "clock": Clock(), "log": log}
    ends = HoldEnds(records=store, gateway=gateway, metrics=metrics, **shared)
    expiry = Expiry(hold_ends=ends, banks=banks, poll_s=poll_s, **shared)
    task = asyncio.create_task(expiry.run())
    await asyncio.sleep(poll_s * (rounds + 0.6))
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return gateway


def holds(count, *, mid_id=1, first=1):
    return [
        an_order(
            order_id=5000 + number,
            opening_id=1000 + number,
            trace_id=f"trace-{number}",
            mid_id=mid_id,
        )
        for number in range(first, first + count)
    ]


def a_cancel(state, **changes):
    return a_transaction(TransactionType.CANCEL, state, **changes)


def ended(state):
    return a_cancel(state), an_order()


def refused(*hours_ago):
    """Cancels that the bank has refused so long ago, the oldest first."""
    return tuple(
        a_cancel(
            State.DECLINED,
            transaction_id=2000 + number,
            closed_at_ms=NOW_MS - round(hours * HOUR_MS),
            outcome=Outcome("BNK_2005", "05"),
        )
        for number, hours in enumerate(hours_ago)
    )


def holds_refused(metrics):
    return metrics.registry.get_sample_value("netvalve_holds_refused_total", {"bank": BANK.name})


async def test_a_hold_that_is_over_is_cancelled_in_the_name_of_its_disabled_client():
    store = Store(*holds(1))
    ((client, command, trace_id),) = (await worked(store, ended(State.APPROVED))).asked
    assert (client.client_id, client.enabled) == (7, False)
    assert (command.type, command.transaction_id) == (TransactionType.CANCEL, 1001)
    assert (command.reason, trace_id) == (REASON, "trace-1")
    assert store.put_offs == {}


async def test_a_bank_that_is_away_is_waited_for_without_a_look_or_a_write():
    store = Store(*holds(2))
    gateway = await worked(store, ended(State.APPROVED), banks=Banks(ready=False), rounds=2)
    assert (gateway.asked, store.looks, store.put_offs) == ([], [], {})


async def test_of_a_bank_that_leaves_meanwhile_no_more_is_asked():
    store, banks = Store(*holds(AT_ONCE_MAX + 9)), Banks(ready=True)

    async def leaving(*arguments, real=store.transactions_of):
        banks.ready = False
        return await real(*arguments)

    store.transactions_of = leaving
    gateway = await worked(store, ended(State.APPROVED), banks=banks, rounds=2)
    assert len(gateway.asked) == 1
    assert store.put_offs == {}


@pytest.mark.parametrize(
    ("answer", "pause_ms"),
    [
        (ended(State.FAILED), NOT_SENT_PAUSE_MS),
        (StoreUnavailable("away"), NOT_SENT_PAUSE_MS),
        (ended(State.DECLINED), HOUR_MS),
        (Refusal("GTW_2100"), HOUR_MS),
        (LookupError("erased"), HOUR_MS),
    ],
)
async def test_what_is_not_cancelled_is_put_off(answer, pause_ms):
    store = Store(*holds(1))
    gateway = await worked(store, answer, rounds=3)
    assert store.put_offs == {5001: pause_ms}
    assert len(gateway.asked) == 1


@pytest.mark.parametrize(
    ("hours_ago", "pause_h"), [((1,), 4), ((5, 4), 24), ((30, 29, 24), 24), ((90,) * 9, 24)]
)
async def test_what_is_refused_again_is_put_off_for_longer(hours_ago, pause_h):
    store = Store(*holds(1), refused=refused(*hours_ago))
    gateway = await worked(store, ended(State.DECLINED), rounds=2)
    assert len(gateway.asked) == 1
    assert store.put_offs == {5001: pause_h * HOUR_MS}


@pytest.mark.parametrize(("hours_ago", "pause_h"), [((0.9,), 1), ((9, 3.9), 4), ((9, 9, 23), 24)])
async def test_a_bank_that_has_refused_lately_is_not_asked(hours_ago, pause_h):
    """However it said so: its refusal may have been the answer to a repeat."""
    store = Store(*holds(1), refused=refused(*hours_ago))
    gateway = await worked(store, ended(State.APPROVED), rounds=2)
    assert gateway.asked == []
    assert store.put_offs == {5001: pause_h * HOUR_MS}


async def test_only_refused_cancels_count_as_refusals():
    others = (a_cancel(State.FAILED), a_transaction(TransactionType.CAPTURE, State.DECLINED))
    near = tuple(replace(each, closed_at_ms=NOW_MS) for each in others)
    store = Store(*holds(1), refused=near)
    assert len((await worked(store, ended(State.DECLINED))).asked) == 1
    assert store.put_offs == {5001: HOUR_MS}


async def test_an_operator_is_told_which_cancel_was_refused_and_with_what():
    store, metrics = Store(*holds(1), refused=refused(0.5)), Metrics()
    with capture_logs() as lines:
        await worked(store, ended(State.APPROVED), metrics=metrics)
    (line,) = (each for each in lines if each["event"] == "hold_refused")
    assert (line["log_level"], line["transaction_id"]) == ("error", 2000)
    assert (line["bank"], line["code"], line["field_39"]) == (BANK.name, "BNK_2005", "05")
    assert holds_refused(metrics) == 1


@pytest.mark.parametrize(
    ("answer", "fact"),
    [
        (Refusal("GTW_2100"), {"code": "GTW_2100"}),
        (LookupError("erased"), {"error": "LookupError"}),
    ],
)
async def test_what_no_bank_refused_is_told_by_its_authorization(answer, fact):
    metrics = Metrics()
    with capture_logs() as lines:
        await worked(Store(*holds(1)), answer, metrics=metrics)
    (line,) = (each for each in lines if each["event"] == "hold_refused")
    assert line["transaction_id"] == 1001
    assert fact.items() <= line.items()
    assert holds_refused(metrics) == 1


async def test_what_ends_as_it_should_is_no_refusal():
    metrics = Metrics()
    for state in (State.APPROVED, State.PENDING, State.FAILED):
        await worked(Store(*holds(1)), ended(state), metrics=metrics)
    assert holds_refused(metrics) is None


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
    gateway = await worked(store, ended(State.APPROVED), rounds=2)
    assert len(gateway.asked) == 50
    assert gateway.at_once_max == AT_ONCE_MAX


async def test_a_silent_bank_holds_up_no_other():
    silent = holds(DUE_MAX + 1)
    store = Store(*silent, *holds(20, mid_id=2, first=900))
    silent_about = {each.opening_id for each in silent}
    gateway = await worked(store, ended(State.APPROVED), silent_about=silent_about, rounds=3)
    others = [number for number in gateway.numbers if number not in silent_about]
    assert others == list(range(1900, 1920))
    assert len(gateway.numbers) == AT_ONCE_MAX + 20
    assert set(store.orders) == {each.order_id for each in silent}


async def test_one_silent_cancel_holds_up_no_other_of_its_bank():
    store = Store(*holds(2 * DUE_MAX))
    gateway = await worked(store, ended(State.APPROVED), silent_about={1003}, poll_s=LONG_POLL_S)
    assert [*store.orders] == [5003]
    assert gateway.numbers.count(1003) == 1


async def test_what_is_under_way_is_not_asked_again_by_the_next_poll():
    store = Store(*holds(2))
    gateway = await worked(store, ended(State.APPROVED), silent_about={1002}, rounds=3)
    assert gateway.numbers == [1001, 1002]
    assert store.looks.count(1) > 1


async def test_a_full_look_is_followed_by_the_next_at_once():
    store = Store(*holds(3 * DUE_MAX))
    gateway = await worked(store, ended(State.APPROVED), poll_s=LONG_POLL_S)
    assert store.orders == {}
    assert sorted(gateway.numbers) == list(range(1001, 1001 + 3 * DUE_MAX))


async def test_a_full_look_that_gets_nowhere_waits_for_the_next_poll():
    store = Store(*holds(DUE_MAX))
    await worked(store, Refusal("GTW_2049"), poll_s=LONG_POLL_S)
    assert store.looks.count(1) == 2


async def test_a_store_that_is_away_ends_nothing_for_good():
    store = Store(*holds(1))
    store.broken = 4
    await worked(store, ended(State.APPROVED), rounds=4)
    assert store.orders == {}


async def test_what_cannot_be_put_off_waits_for_the_next_poll_and_stops_no_other():
    store = Store(*holds(2))

    async def broken_once(*_arguments, real=store.put_off):
        store.put_off = real
        raise StoreUnavailable("away")

    store.put_off = broken_once
    gateway = await worked(store, ended(State.DECLINED), rounds=3)
    assert gateway.numbers == [1001, 1002, 1001]
    assert {*store.put_offs} == {5001, 5002}


async def test_what_the_looks_came_to_is_told():
    with capture_logs() as lines:
        await worked(Store(*holds(3)), ended(State.APPROVED), rounds=2)
    told = [each for each in lines if each["event"] == "holds_over"]
    assert [each["cancelled"] for each in told] == [3]
