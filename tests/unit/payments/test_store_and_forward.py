"""Every unknown outcome is brought to an end: what is sent, what ends it, what it waits for.

Store and bank are played here, because only a player fails on cue.
"""

import asyncio
from dataclasses import replace

import pytest
import structlog

from making import ACCOUNT, BANK, IDENTITY, a_reference, a_transaction, an_order
from netvalve.domain.bank_message import Answered, BankOperation, NoAnswer, NotSent
from netvalve.domain.journal import Forward, ForwardKind, StoredMessage, StoreUnavailable
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import MessageIdentity, TransactionType
from netvalve.payments.planning import Planner
from netvalve.payments.store_and_forward import BACKOFF_S, BANK_AWAY_S, StoreAndForward, pause_s

OWN = MessageIdentity("1122130500", "000077", "632613000077", "NV000000")
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

    def __init__(self, *messages, orphans=()):
        self.messages, self.orphans = list(messages), [tuple(orphans)] if orphans else []
        self.postponed, self.acknowledged, self.reopened, self.closed = [], [], [], []
        self.broken = 0

    async def due(self, _now_ms, _limit):
        if self.broken:
            self.broken -= 1
            raise StoreUnavailable("away")
        due, self.messages = tuple(self.messages), []
        return due

    async def of_original(self, rrn):
        return tuple(each for each in self.messages if each.forward.original_rrn == rrn)

    async def postpone(self, forward, next_attempt_at_ms, *, counted):
        self.postponed.append((forward.kind, next_attempt_at_ms - NOW_MS, counted))

    async def acknowledge(self, message, _at_ms, response_code_39):
        self.acknowledged.append((message.forward.transaction_id, response_code_39))
        return True

    async def reopen(self, message, _at_ms, response_code_39):
        self.reopened.append((message.forward.transaction_id, response_code_39))
        return True

    async def take_over(self, _limit):
        return self.orphans.pop(0) if self.orphans else None

    async def close(self, closing):
        self.closed.append(closing)
        return True


class References:
    def __init__(self, store):
        self.store = store

    async def of(self, _client_id, transaction_id):
        kind = TransactionType.SALE if transaction_id == 1001 else TransactionType.AUTHORIZATION
        return a_reference(a_transaction(kind), an_order(), account=ACCOUNT, bank=BANK)


def a_message(kind, transaction, attempts=0, **order):
    forward = Forward(
        kind=kind,
        transaction_id=transaction.transaction_id,
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


def a_worker(store, bank):
    clock = Clock()
    return StoreAndForward(
        forwards=store,
        journal=store,
        records=store,
        references=References(store),
        planner=Planner(Identifiers(), None, clock),
        banks=bank,
        clock=clock,
        answer_within_s=1,
        log=structlog.get_logger(wrapper_class=structlog.BoundLogger),
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
    "outcome",
    [Answered("91"), Answered("96"), NoAnswer("x"), NotSent("x"), Answered("00", 1, "840")],
)
async def test_what_ends_nothing_is_asked_again_later(outcome):
    store = Store(a_repeat(attempts=3))
    await worked(store, Bank(outcome))
    assert store.closed == []
    assert store.postponed == [(ForwardKind.REPEAT, 10_000, True)]


async def test_a_bank_that_is_away_costs_no_attempt():
    store, bank = Store(a_reversal(attempts=6)), Bank(ready=False)
    await worked(store, bank)
    assert bank.asked == []
    assert store.postponed == [(ForwardKind.REVERSAL, BANK_AWAY_S * 1000, False)]


def test_pauses_grow_to_an_hour_and_never_end():
    assert [pause_s(attempts) for attempts in range(9)] == [*BACKOFF_S]
    assert pause_s(1_000) == 3600


@pytest.mark.parametrize(
    ("kind", "event", "forward"),
    [
        (TransactionType.SALE, Event.UNANSWERED, ForwardKind.REVERSAL),
        (TransactionType.AUTHORIZATION, Event.UNANSWERED, ForwardKind.REVERSAL),
        (TransactionType.CAPTURE, Event.REPEATED, ForwardKind.REPEAT),
    ],
)
async def test_what_a_dead_process_opened_is_presumed_sent(kind, event, forward):
    orphan = a_transaction(kind, State.PENDING, parent_id=1000)
    store = Store(orphans=[(orphan, an_order())])
    await worked(store, Bank())
    (closing,) = store.closed
    assert (closing.event, closing.forward.kind) == (event, forward)
    own = closing.forward.identity
    assert own == (OWN if forward is ForwardKind.REVERSAL else orphan.identity)


async def test_a_store_that_is_away_stops_nothing_for_good():
    store, bank = Store(a_reversal()), Bank(Answered("00"))
    store.broken = 1
    await worked(store, bank, 1.6)
    assert store.acknowledged == [(1001, "00")]


async def hear(store, identity, answer):
    worker = a_worker(store, Bank())
    worker.heard(identity, answer)
    await asyncio.sleep(0.01)


@pytest.mark.parametrize("state", [State.REVERSING, State.REVERSED])
async def test_a_late_approval_of_what_is_reversed_is_told_to_the_bank_again(state):
    store = Store(a_reversal(state=state))
    await hear(store, IDENTITY, APPROVED)
    assert store.reopened == [(1001, "00")]


async def test_a_late_decline_of_what_is_reversed_changes_nothing():
    store = Store(a_reversal())
    await hear(store, IDENTITY, Answered("05"))
    assert store.reopened == []
    assert store.closed == []


async def test_a_late_answer_ends_what_still_waits_for_it():
    store = Store(a_repeat())
    await hear(store, IDENTITY, APPROVED)
    assert [closing.event for closing in store.closed] == [Event.APPROVED]


async def test_an_answer_to_another_message_changes_nothing():
    store = Store(a_repeat())
    await hear(store, replace(IDENTITY, stan="999999"), APPROVED)
    await hear(store, replace(IDENTITY, rrn="000000000000"), APPROVED)
    assert store.closed == []
