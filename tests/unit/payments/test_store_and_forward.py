"""Every unknown outcome is brought to an end: what is sent, what ends it, what it waits for.

Store and bank are played here, because only a player fails on cue.
"""

import asyncio
from dataclasses import replace

import pytest
import structlog

from making import ACCOUNT, BANK, IDENTITY, a_reference, a_transaction, an_order
from netvalve.domain.bank_message import Answered, BankOperation, NoAnswer, NotSent
from netvalve.domain.directory import Directory
from netvalve.domain.journal import (
    Forward,
    ForwardKind,
    ResolvedAs,
    StoredMessage,
    StoreUnavailable,
)
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import MessageIdentity, TransactionType
from netvalve.payments.endings import Endings
from netvalve.payments.observation import Observer
from netvalve.payments.patience import PatientStore
from netvalve.payments.planning import Planner
from netvalve.payments.replay import Replay
from netvalve.payments.store_and_forward import BACKOFF_S, NOT_SENT_S, StoreAndForward, pause_s
from netvalve.telemetry.metrics import Metrics
from unit.payments.leasing import PlayedLease

OWN = MessageIdentity("1122130500", "000077", "632613000077", "NV000000")
OTHER_BANK = replace(BANK, bank_id=2, name="Other Bank")
NOW_MS = 1_795_000_100_000
APPROVED = Answered("00", 10_000, "840", "TAS390")


class Clock:
    def now_ms(self):
        return NOW_MS

    def monotonic_s(self):
        return asyncio.get_running_loop().time()


class Identifiers:
    async def message_identity(self, _now_ms):
        return OWN

    async def transaction_id(self):
        return 1009


class Bank:
    def __init__(self, *outcomes, ready=True):
        self.outcomes, self.ready, self.asked = list(outcomes), ready, []

    def link(self, _profile):
        return self

    async def send(self, request, _deadline_s):
        self.asked.append(request)
        return self.outcomes.pop(0) if self.outcomes else NoAnswer("silent")


class Store:
    """Forwards, journal and records in one, in memory."""

    def __init__(self, *messages):
        self.messages = list(messages)
        self.postponed, self.acknowledged, self.reopened, self.closed = [], [], [], []
        self.kept, self.keeps_as, self.closes = [], Event.LATE_ANSWER, True
        self.broken = 0

    def fail_if_broken(self):
        if self.broken:
            self.broken -= 1
            raise StoreUnavailable("away")

    async def due(self, bank_id, _now_ms, _limit):
        self.fail_if_broken()
        due = tuple(each for each in self.messages if each.forward.bank_id == bank_id)
        self.messages = [each for each in self.messages if each not in due]
        return due

    async def of_original(self, rrn):
        return tuple(each for each in self.messages if each.forward.original_rrn == rrn)

    async def resolved(self, _limit):
        return ()

    async def postpone(self, forward, next_attempt_at_ms, *, counted, **_refused):
        self.postponed.append((forward.kind, next_attempt_at_ms - NOW_MS, counted))

    async def acknowledge(self, message, _at_ms, response_code_39):
        self.acknowledged.append((message.forward.transaction_id, response_code_39))
        return True

    async def reopen(self, message, _at_ms, response_code_39):
        self.reopened.append((message.forward.transaction_id, response_code_39))
        return True

    async def keep_late_answer(self, message, _at_ms, response_code_39, contradicts):
        self.fail_if_broken()
        self.kept.append((message.forward.transaction_id, response_code_39, contradicts))
        return self.keeps_as

    async def close(self, closing):
        self.closed.append(closing)
        return self.closes


class References:
    async def of(self, _client_id, transaction_id):
        if transaction_id == 666:
            raise ValueError("its card cannot be opened")
        kind = TransactionType.SALE if transaction_id == 1001 else TransactionType.AUTHORIZATION
        return a_reference(a_transaction(kind), an_order(), account=ACCOUNT, bank=BANK)


def a_message(kind, transaction, attempts=0, **order):
    forward = Forward(
        kind=kind,
        transaction_id=transaction.transaction_id,
        bank_id=BANK.bank_id,
        next_attempt_at_ms=NOW_MS,
        identity=OWN if kind is ForwardKind.REVERSAL else transaction.identity,
        original_rrn=transaction.identity.rrn,
    )
    return StoredMessage(forward, attempts, transaction, an_order(**order))


def a_reversal(attempts=0, state=State.REVERSING):
    sale = a_transaction(TransactionType.SALE, state)
    return a_message(ForwardKind.REVERSAL, sale, attempts)


def a_repeat(kind=TransactionType.CAPTURE, attempts=0, **order):
    pending = a_transaction(kind, State.PENDING, transaction_id=1002, parent_id=1000)
    return a_message(ForwardKind.REPEAT, pending, attempts, **order)


class Configuration:
    directory = Directory.of(1, banks=[BANK, OTHER_BANK])
    fresh = True


def a_replay():
    return Replay(References(), Planner(Identifiers(), None, Clock()))


def a_log():
    return structlog.get_logger(wrapper_class=structlog.BoundLogger)


def a_worker(store, bank, metrics=None, lease=None):
    patient = PatientStore(store, store, a_log())
    endings = Endings(
        forwards=store,
        patient=patient,
        replay=a_replay(),
        observer=Observer(metrics or Metrics(), a_log()),
        clock=Clock(),
        log=a_log(),
    )
    return StoreAndForward(
        forwards=store,
        lease=lease or PlayedLease(),
        replay=a_replay(),
        endings=endings,
        configuration=Configuration(),
        banks=bank,
        clock=Clock(),
        answer_within_s=5,
        log=a_log(),
    )


async def worked(store, bank, seconds=0.1):
    """Let the worker run for a little."""
    task = asyncio.create_task(a_worker(store, bank).run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("code", ["00", "25"])
async def test_a_reversal_ends_when_the_bank_has_undone_it_or_never_knew_it(code):
    store, bank = Store(a_reversal()), Bank(Answered(code))
    await worked(store, bank)
    assert store.acknowledged == [(1001, code)]
    request = bank.asked[0]
    assert request.operation is BankOperation.REVERSAL
    assert request.identity == OWN
    assert request.original.identity == IDENTITY
    assert request.original.operation is BankOperation.SALE
    assert not request.repeat


@pytest.mark.parametrize("outcome", [Answered("12"), Answered("96"), NoAnswer("silent")])
async def test_any_other_end_of_a_reversal_is_tried_again_as_a_repeat(outcome):
    store = Store(a_reversal())
    await worked(store, Bank(outcome))
    assert store.postponed == [(ForwardKind.REVERSAL, 1000, True)]
    again = Bank(Answered("00"))
    await worked(Store(a_reversal(attempts=1)), again)
    assert again.asked[0].repeat
    assert again.asked[0].identity == OWN


@pytest.mark.parametrize("kind", [TransactionType.CAPTURE, TransactionType.CANCEL])
async def test_a_repeat_keeps_its_identity_and_ends_with_the_banks_answer(kind):
    store, bank = Store(a_repeat(kind)), Bank(APPROVED)
    await worked(store, bank)
    request = bank.asked[0]
    assert request.repeat
    assert request.identity == IDENTITY
    assert request.original.operation is BankOperation.AUTHORIZE
    assert [closing.event for closing in store.closed] == [Event.APPROVED]


async def test_a_refused_repeat_frees_what_it_had_reserved():
    store = Store(a_repeat(TransactionType.REFUND, captured=10_000, charge_id=1001))
    await worked(store, Bank(Answered("05")))
    (closing,) = store.closed
    assert closing.event is Event.DECLINED
    assert closing.balance.reserved_minor == -10_000


@pytest.mark.parametrize(
    "outcome", [Answered("91"), Answered("96"), NoAnswer("x"), Answered("00", 1, "840")]
)
async def test_what_ends_nothing_is_asked_again_later(outcome):
    store = Store(a_repeat(attempts=3))
    await worked(store, Bank(outcome))
    assert store.closed == []
    assert store.postponed == [(ForwardKind.REPEAT, 10_000, True)]


async def test_what_did_not_leave_was_no_attempt():
    store = Store(a_repeat(attempts=3))
    await worked(store, Bank(NotSent("too many in flight")))
    assert store.postponed == [(ForwardKind.REPEAT, NOT_SENT_S * 1000, False)]


async def test_a_mismatched_answer_to_a_repeat_is_counted():
    metrics = Metrics()
    worker = a_worker(Store(a_repeat()), Bank(Answered("00", 1, "840")), metrics)
    task = asyncio.create_task(worker.run())
    await asyncio.sleep(0.05)
    task.cancel()
    assert b'netvalve_approvals_mismatched_total{bank="Mock Bank"} 1.0' in await metrics.render()


async def test_a_message_that_cannot_be_made_waits_and_stops_no_other():
    bad = a_transaction(TransactionType.SALE, State.REVERSING, transaction_id=666)
    many = [a_message(ForwardKind.REVERSAL, bad)] * 5
    store = Store(*many, a_reversal())
    await worked(store, Bank(Answered("00")))
    assert store.acknowledged == [(1001, "00")]
    assert (ForwardKind.REVERSAL, 1000, True) in store.postponed


async def test_a_silent_bank_holds_up_no_other():
    class OneSilent(Bank):
        async def send(self, request, _deadline_s):
            if request.amount_minor == 66_600:
                await asyncio.sleep(5)
            return Answered("00")

    slow = [
        a_message(
            ForwardKind.REVERSAL,
            a_transaction(
                TransactionType.SALE, State.REVERSING, transaction_id=2000 + n, amount_minor=66_600
            ),
        )
        for n in range(200)
    ]
    other = a_reversal()
    other = replace(other, forward=replace(other.forward, bank_id=OTHER_BANK.bank_id))
    store = Store(*slow, other)
    await worked(store, OneSilent(), 0.3)
    assert store.acknowledged == [(1001, "00")]


async def test_a_bank_that_is_away_costs_no_attempt():
    store, bank = Store(a_reversal(attempts=6)), Bank(ready=False)
    await worked(store, bank)
    assert bank.asked == []
    assert store.postponed == []


def test_pauses_grow_to_an_hour_and_never_end():
    assert [pause_s(attempts) for attempts in range(9)] == [*BACKOFF_S]
    assert pause_s(1_000) == 3600


@pytest.mark.parametrize("message", [a_reversal(), a_repeat()])
async def test_nothing_is_sent_without_a_lease(message):
    store, bank = Store(message), Bank(Answered("00"))
    task = asyncio.create_task(a_worker(store, bank, lease=PlayedLease(None)).run())
    await asyncio.sleep(0.05)
    task.cancel()
    assert (bank.asked, store.messages) == ([], [message])


@pytest.mark.parametrize("message", [a_reversal(), a_repeat()])
async def test_what_was_due_in_another_term_is_not_sent(message):
    lease, bank = PlayedLease(), Bank(Answered("00"))

    class Stalling(Store):
        async def due(self, *asked):
            due = await super().due(*asked)
            lease.term = 2
            return due

    store = Stalling(message)
    task = asyncio.create_task(a_worker(store, bank, lease=lease).run())
    await asyncio.sleep(0.05)
    task.cancel()
    assert bank.asked == []
    assert store.postponed == [(message.forward.kind, NOT_SENT_S * 1000, False)]


async def test_a_store_that_is_away_stops_nothing_for_good():
    store, bank = Store(a_reversal()), Bank(Answered("00"))
    store.broken = 1
    await worked(store, bank, 1.6)
    assert store.acknowledged == [(1001, "00")]


async def hear(store, identity, answer, wait_s=0.01, metrics=None):
    worker = a_worker(store, Bank(), metrics)
    worker.heard(identity, answer)
    await asyncio.sleep(wait_s)


@pytest.mark.parametrize("state", [State.REVERSING, State.REVERSED])
async def test_a_late_approval_of_what_is_reversed_is_told_to_the_bank_again(state):
    store = Store(a_reversal(state=state))
    await hear(store, IDENTITY, APPROVED)
    assert store.reopened == [(1001, "00")]


async def test_a_late_decline_of_what_is_reversed_is_kept_and_changes_nothing():
    store = Store(a_reversal())
    await hear(store, IDENTITY, Answered("05"))
    assert store.reopened == []
    assert store.closed == []
    assert store.kept == [(1001, "05", ResolvedAs.APPROVED)]


def an_ended_repeat(state):
    message = a_repeat()
    return replace(message, transaction=replace(message.transaction, state=state))


@pytest.mark.parametrize(
    ("answer", "contradicts"),
    [
        (APPROVED, ResolvedAs.DECLINED),
        (Answered("00", 1, "840"), ResolvedAs.DECLINED),
        (Answered("05"), ResolvedAs.APPROVED),
        (Answered("91"), None),
    ],
)
@pytest.mark.parametrize("state", [State.APPROVED, State.DECLINED, State.REFUNDED])
async def test_a_late_answer_to_what_has_ended_is_kept_with_what_it_would_contradict(
    answer, contradicts, state
):
    store, metrics = Store(an_ended_repeat(state)), Metrics()
    await hear(store, IDENTITY, answer, metrics=metrics)
    assert store.closed == []
    assert store.kept == [(1002, answer.response_code, contradicts)]
    assert b"netvalve_resolutions_contradicted_total 0.0" in await metrics.render()


async def test_a_late_answer_against_an_operators_word_is_an_error_and_counted():
    store, metrics = Store(an_ended_repeat(State.DECLINED)), Metrics()
    store.keeps_as = Event.CONTRADICTED
    with structlog.testing.capture_logs() as lines:
        await hear(store, IDENTITY, APPROVED, metrics=metrics)
    assert b"netvalve_resolutions_contradicted_total 1.0" in await metrics.render()
    (line,) = [each for each in lines if each["event"] == "resolution_contradicted"]
    assert (line["log_level"], line["transaction_id"], line["field_39"]) == ("error", 1002, "00")


async def test_an_answer_to_what_ends_meanwhile_is_kept_however_long_the_store_is_away():
    store = Store(a_repeat())
    store.closes, store.broken = False, 2
    await hear(store, IDENTITY, APPROVED, wait_s=0.3)
    assert len(store.closed) == 1
    assert store.kept == [(1002, "00", ResolvedAs.DECLINED)]


async def test_a_late_answer_ends_what_still_waits_for_it():
    store = Store(a_repeat())
    await hear(store, IDENTITY, APPROVED)
    assert [closing.event for closing in store.closed] == [Event.APPROVED]


async def test_an_answer_to_another_message_changes_nothing():
    store = Store(a_repeat())
    await hear(store, replace(IDENTITY, stan="999999"), APPROVED)
    await hear(store, replace(IDENTITY, rrn="000000000000"), APPROVED)
    assert store.closed == []


async def test_a_late_answer_waits_for_the_store():
    class Away(Store):
        async def of_original(self, rrn):
            self.fail_if_broken()
            return await super().of_original(rrn)

    store = Away(a_reversal(state=State.REVERSED))
    store.broken = 2
    await hear(store, IDENTITY, APPROVED, wait_s=0.3)
    assert store.reopened == [(1001, "00")]
