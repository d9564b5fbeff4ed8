"""The pipeline and the gateway around it when store or bank fail at the worst moment.

The store and the bank are played here, because only a player fails on cue.
"""

import asyncio
import time

import pytest
import structlog

from making import ACCOUNT, BANK, IDENTITY, a_transaction, an_order
from netvalve.catalogue.currencies import currency
from netvalve.domain.bank_message import Answered, NoAnswer
from netvalve.domain.card import Card, CardNumber, SealedCard
from netvalve.domain.client import Client
from netvalve.domain.directory import Directory
from netvalve.domain.journal import (
    Forward,
    ForwardKind,
    OpeningRefusal,
    StoredMessage,
    StoreUnavailable,
    StoreUncertain,
)
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.refusal import Refusal
from netvalve.domain.transaction import TransactionType
from netvalve.payments.commands import AccountSelector, ChargeCommand
from netvalve.payments.endings import Endings
from netvalve.payments.gateway import Gateway, Timing
from netvalve.payments.idempotency import Idempotency, KeyBusy
from netvalve.payments.observation import Observer
from netvalve.payments.patience import PatientStore
from netvalve.payments.pipeline import Pipeline
from netvalve.payments.planning import Planner
from netvalve.payments.reference import References
from netvalve.telemetry.metrics import Metrics
from unit.payments.leasing import PlayedLease

CLIENT = Client(7, "uuid", "Shop")
APPROVAL = Answered("00", 1_000, "840", "TAS390", IDENTITY.rrn)


class Clock:
    def now_ms(self):
        return time.time_ns() // 1_000_000

    def monotonic_s(self):
        return time.monotonic()


class Identifiers:
    number = 1000

    async def order_id(self):
        self.number += 1
        return self.number

    transaction_id = card_id = order_id

    async def message_identity(self, _now_ms):
        return IDENTITY


class Vault:
    def seal(self, client_id, card_id, number):
        return SealedCard(card_id, client_id, b"", 1, 1, b"", b"", "401200", number.last_four)


class Store:
    """A journal and its records; every call takes the next step of its script."""

    def __init__(self, opens=(), closes=(), reads=(), reopens=()):
        self.opens, self.closes, self.reads = list(opens), list(closes), list(reads)
        self.reopens = list(reopens)
        self.opened, self.closed, self.reopened, self.kept = [], [], [], []
        self.stored = ()

    async def open(self, opening, wanted):
        step = self.opens.pop(0) if self.opens else None
        step = await step if asyncio.iscoroutine(step) else step
        if isinstance(step, Exception):
            raise step
        if step is None:
            self.opened.append(opening)
        self.wanted = wanted()
        return step

    async def close(self, closing):
        step = self.closes.pop(0) if self.closes else True
        if isinstance(step, Exception):
            raise step
        self.closed.append(closing)
        return step

    async def transaction(self, _client_id, _transaction_id):
        step = self.reads.pop(0) if self.reads else None
        if isinstance(step, Exception):
            raise step
        return step

    async def of_original(self, rrn):
        return tuple(each for each in self.stored if each.forward.original_rrn == rrn)

    async def reopen(self, message, _at_ms, response_code_39):
        step = self.reopens.pop(0) if self.reopens else True
        if isinstance(step, Exception):
            raise step
        self.reopened.append((message.forward.transaction_id, response_code_39))
        return step

    async def keep_late_answer(self, _message, _at_ms, response_code_39, _contradicts):
        self.kept.append(response_code_39)
        return Event.LATE_ANSWER


class Bank:
    """Answers when it may; counts what it was asked."""

    def __init__(self, outcome=APPROVAL, wait_s=0.0):
        self.outcome, self.wait_s, self.asked = outcome, wait_s, 0

    def link(self, _profile):
        return self

    async def send(self, _request, _deadline_s):
        self.asked += 1
        await asyncio.sleep(self.wait_s)
        return self.outcome


class Digests:
    def of_field(self, _client_id, name, value):
        return f"{name} {value.decode()}"


class Configuration:
    directory = Directory.of(1, clients=[CLIENT], banks=[BANK], accounts=[ACCOUNT])
    fresh = True


def a_gateway(store, bank, *, lease=None, **timing):
    clock, log = Clock(), structlog.get_logger(wrapper_class=structlog.BoundLogger)
    patient, observer = PatientStore(store, store, log), Observer(Metrics(), log)
    pipeline = Pipeline(
        journal=store,
        lease=lease or PlayedLease(),
        banks=bank,
        clock=clock,
        patient=patient,
        endings=Endings(
            forwards=store,
            patient=patient,
            replay=None,
            observer=observer,
            clock=clock,
            log=log,
        ),
        observer=observer,
    )
    return Gateway(
        pipeline=pipeline,
        planner=Planner(Identifiers(), Vault(), clock),
        records=store,
        references=References(store, Configuration(), Vault()),
        configuration=Configuration(),
        idempotency=Idempotency(store, Digests(), clock, 86_400_000),
        clock=clock,
        timing=Timing(**timing),
        log=log,
    )


async def sale(gateway, keyed=None):
    command = ChargeCommand(
        TransactionType.SALE,
        AccountSelector(1),
        1_000,
        currency("USD"),
        Card(CardNumber("4012000098765439"), "12", "2030"),
    )
    return await gateway.charge(
        CLIENT, command, trace_id="t", arrived_s=time.monotonic(), keyed=keyed
    )


async def later(seconds, result):
    await asyncio.sleep(seconds)
    return result


async def test_a_sale_is_opened_asked_closed_and_answered():
    store, bank = Store(), Bank()
    transaction, _ = await sale(a_gateway(store, bank))
    assert transaction.state is State.APPROVED
    assert [len(store.opened), bank.asked, len(store.closed)] == [1, 1, 1]


async def test_what_cannot_be_opened_never_reaches_the_bank():
    store, bank = Store(opens=[StoreUnavailable("full")]), Bank()
    with pytest.raises(StoreUnavailable):
        await sale(a_gateway(store, bank))
    assert bank.asked == 0


async def test_a_duplicate_order_never_reaches_the_bank():
    store, bank = Store(opens=[OpeningRefusal.DUPLICATE_CLIENT_ORDER]), Bank()
    assert await sale(a_gateway(store, bank)) == Refusal("GTW_2065")
    assert bank.asked == 0


async def test_the_opening_takes_the_key_along():
    store, clock = Store(), Clock()
    gateway = a_gateway(store, Bank())
    keyed = gateway.idempotency.keyed(7, "K", "/sale", {"amount": b"10"})
    await sale(gateway, keyed)
    (opening,) = store.opened
    assert opening.keyed is keyed
    assert 86_399_000 < clock.now_ms() - opening.keys_since_ms < 86_401_000


async def test_a_key_that_was_used_meanwhile_is_busy_and_never_reaches_the_bank():
    store, bank = Store(opens=[OpeningRefusal.DUPLICATE_KEY]), Bank()
    assert await sale(a_gateway(store, bank)) == KeyBusy()
    assert bank.asked == 0


async def test_an_opening_of_unknown_fate_is_looked_up_until_the_store_can_be_read():
    store = Store(
        opens=[StoreUncertain("lost")], reads=[StoreUnavailable("not yet"), ("found", "it")]
    )
    bank = Bank()
    transaction, _ = await sale(a_gateway(store, bank))
    assert transaction.state is State.APPROVED
    assert bank.asked == 1


async def test_an_opening_that_was_lost_was_not_begun():
    store, bank = Store(opens=[StoreUncertain("lost")], reads=[None]), Bank()
    with pytest.raises(StoreUnavailable):
        await sale(a_gateway(store, bank))
    assert bank.asked == 0


async def test_an_opening_that_comes_after_its_answer_is_never_sent():
    store, bank = Store(opens=[later(0.2, None)]), Bank()
    gateway = a_gateway(store, bank, charge_deadline_s=0.05, closing_grace_s=0.05)
    with pytest.raises(StoreUnavailable):
        await sale(gateway)
    assert await gateway.drain(1) == 0
    assert bank.asked == 0
    assert [closing.event for closing in store.closed] == [Event.NOT_SENT]


async def test_an_opening_is_not_wanted_any_more_once_its_answer_was_that_nothing_was_begun():
    store = Store(opens=[later(0.2, OpeningRefusal.WITHDRAWN)])
    gateway = a_gateway(store, Bank(), charge_deadline_s=0.05, closing_grace_s=0.05)
    with pytest.raises(StoreUnavailable):
        await sale(gateway)
    assert await gateway.drain(1) == 0
    assert store.wanted is False
    assert store.closed == []


async def test_whether_an_opening_that_is_being_written_at_its_deadline_was_begun_nobody_says():
    class SlowStore(Store):
        async def open(self, opening, wanted):
            assert wanted()
            await asyncio.sleep(0.2)
            return await super().open(opening, lambda: True)

    store, bank = SlowStore(), Bank()
    gateway = a_gateway(store, bank, charge_deadline_s=0.05, closing_grace_s=0.05)
    with pytest.raises(StoreUncertain):
        await sale(gateway)
    assert await gateway.drain(1) == 0
    assert bank.asked == 0


async def test_a_fault_of_our_own_after_the_opening_ends_like_an_answer_that_was_lost():
    class BrokenBank(Bank):
        async def send(self, _request, _deadline_s):
            raise ZeroDivisionError

    store = Store()
    transaction, _ = await sale(a_gateway(store, BrokenBank()))
    assert transaction.state is State.REVERSING
    assert [closing.event for closing in store.closed] == [Event.UNANSWERED]


async def test_a_closing_write_is_repeated_until_it_is_durable():
    store = Store(closes=[StoreUnavailable("full"), StoreUncertain("lost"), True])
    transaction, _ = await sale(a_gateway(store, Bank()))
    assert transaction.state is State.APPROVED
    assert len(store.closed) == 1


async def test_an_answer_that_cannot_wait_for_its_closing_is_pending_with_its_number():
    store = Store(closes=[StoreUnavailable("full")] * 3)
    gateway = a_gateway(store, Bank(), charge_deadline_s=0.05, closing_grace_s=0.05)
    transaction, _ = await sale(gateway)
    assert transaction.state is State.PENDING
    assert not store.closed
    assert await gateway.drain(5) == 0
    assert [closing.event for closing in store.closed] == [Event.APPROVED]


async def test_a_cancelled_request_does_not_stop_its_payment():
    store, gateway = Store(), None
    gateway = a_gateway(store, Bank(wait_s=0.1))
    request = asyncio.create_task(sale(gateway))
    await asyncio.sleep(0.03)
    request.cancel()
    assert await gateway.drain(2) == 0
    assert [closing.event for closing in store.closed] == [Event.APPROVED]


async def test_who_still_waits_when_the_gateway_ends_hears_what_is_known():
    store = Store()
    gateway = a_gateway(store, Bank(wait_s=0.3))
    request = asyncio.create_task(sale(gateway))
    await asyncio.sleep(0.05)
    gateway.hurry()
    transaction, _ = await asyncio.wait_for(request, 0.1)
    assert transaction.state is State.PENDING
    assert await gateway.drain(2) == 0


async def test_a_transaction_that_somebody_else_has_ended_is_told_as_it_ended():
    told = (object(), object())
    store = Store(closes=[False], reads=[told])
    assert await sale(a_gateway(store, Bank(NoAnswer("deadline")))) is told


async def test_a_gateway_without_a_lease_opens_nothing():
    store, bank = Store(), Bank()
    with pytest.raises(StoreUnavailable):
        await sale(a_gateway(store, bank, lease=PlayedLease(None)))
    assert (store.opened, bank.asked) == ([], 0)


@pytest.mark.parametrize("term", [None, 2])
async def test_what_was_opened_in_another_term_is_not_sent(term):
    lease = PlayedLease(1)

    async def stalled():
        lease.term = term

    store, bank = Store(opens=[stalled()]), Bank()
    transaction, _ = await sale(a_gateway(store, bank, lease=lease))
    assert transaction.state is State.FAILED
    assert bank.asked == 0
    assert [closing.event for closing in store.closed] == [Event.NOT_SENT]


@pytest.mark.parametrize("outcome", [APPROVAL, Answered("05"), NoAnswer("deadline")])
async def test_an_approval_of_what_another_has_taken_over_opens_its_reversal_again(outcome):
    taken = a_transaction(TransactionType.SALE, State.REVERSING)
    forward = Forward(
        ForwardKind.REVERSAL, taken.transaction_id, BANK.bank_id, 0, IDENTITY, IDENTITY.rrn
    )
    told = (taken, an_order())
    store = Store(closes=[False], reads=[told], reopens=[StoreUnavailable("away"), True])
    store.stored = (StoredMessage(forward, 0, *told),)
    assert await sale(a_gateway(store, Bank(outcome))) is told
    assert store.reopened == ([(taken.transaction_id, "00")] if outcome is APPROVAL else [])
    assert store.kept == (["05"] if outcome == Answered("05") else [])


async def test_the_closing_write_comes_before_anything_is_logged_or_counted():
    store, bank = Store(), Bank(Answered("00", 999, "840"))
    gateway = a_gateway(store, bank)

    def broken(*_arguments, **_fields):
        raise OSError("no log")

    gateway._pipeline._observer._log = type("Log", (), {"error": broken, "warning": broken})()
    with pytest.raises(OSError, match="no log"):
        await sale(gateway)
    assert [closing.event for closing in store.closed] == [Event.MISMATCHED]
