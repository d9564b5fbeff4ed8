"""What a bank refuses is remembered, and what an operator has resolved ends without its bank."""

import asyncio
from dataclasses import replace

import pytest

from netvalve.domain.bank_message import Answered, NoAnswer, NotSent
from netvalve.domain.journal import ForwardKind, Resolution, ResolvedAs
from netvalve.domain.lifecycle import Event
from netvalve.domain.transaction import Outcome, TransactionType
from netvalve.payments.resolve import closing_by_hand
from unit.payments import test_resolve
from unit.payments.test_store_and_forward import (
    NOW_MS,
    Bank,
    Store,
    a_repeat,
    a_reversal,
    a_worker,
    worked,
)

REASON = "the bank's letter of 3 May"


class ResolvedStore(Store):
    """A store whose messages have been resolved; it remembers what was refused."""

    def __init__(self, *messages, resolved=()):
        super().__init__(*messages)
        self.resolved_messages, self.refused = list(resolved), []

    async def resolved(self, _limit):
        return tuple(self.resolved_messages)

    async def postpone(self, forward, next_attempt_at_ms, *, counted, refused_39=None):
        await super().postpone(forward, next_attempt_at_ms, counted=counted)
        self.refused.append(refused_39)

    async def acknowledge(self, message, at_ms, response_code_39):
        self.resolved_messages = []
        return await super().acknowledge(message, at_ms, response_code_39)

    async def close(self, closing):
        self.resolved_messages = []
        return await super().close(closing)


def resolved(message, as_):
    return replace(message, resolution=Resolution(as_, REASON))


@pytest.mark.parametrize(
    ("message", "outcome", "refused"),
    [
        (a_reversal(), Answered("12"), "12"),
        (a_reversal(), Answered("96"), "96"),
        (a_reversal(), NoAnswer("silent"), None),
        (a_reversal(), NotSent("no link"), None),
        (a_repeat(), Answered("00", 1, "840"), "00"),
        (a_repeat(), Answered("91"), None),
        (a_repeat(), NoAnswer("silent"), None),
    ],
)
async def test_an_answer_that_is_not_the_awaited_one_is_kept_as_a_refusal(
    message, outcome, refused
):
    store = ResolvedStore(message)
    await worked(store, Bank(outcome))
    assert store.refused == [refused]


async def test_a_resolved_reversal_ends_while_its_bank_is_away():
    bank = Bank(ready=False)
    store = ResolvedStore(resolved=[resolved(a_reversal(), ResolvedAs.REVERSED)])
    await worked(store, bank)
    assert store.acknowledged == [(1001, None)]
    assert bank.asked == []


@pytest.mark.parametrize(
    ("as_", "event"),
    [(ResolvedAs.APPROVED, Event.APPROVED), (ResolvedAs.DECLINED, Event.DECLINED)],
)
async def test_a_resolved_repeat_is_closed_as_the_operator_says(as_, event):
    bank = Bank(ready=False)
    store = ResolvedStore(resolved=[resolved(a_repeat(), as_)])
    await worked(store, bank)
    (closing,) = store.closed
    assert (closing.event, closing.reason) == (event, REASON)
    assert bank.asked == []


async def test_an_attempt_under_way_comes_before_the_operators_word():
    class Slow(Bank):
        async def send(self, request, deadline_s):
            await asyncio.sleep(0.4)
            return await super().send(request, deadline_s)

    message = a_reversal()
    store = ResolvedStore(message, resolved=[resolved(message, ResolvedAs.REVERSED)])
    await worked(store, Slow(Answered("00")), 0.9)
    assert store.acknowledged[0] == (1001, "00")


async def test_a_resolution_that_fails_stops_no_other_and_is_not_tried_hotly():
    bad = a_repeat()
    bad = replace(bad, transaction=replace(bad.transaction, parent_id=666))
    bad = replace(bad, forward=replace(bad.forward, transaction_id=1777))
    good = resolved(a_reversal(), ResolvedAs.REVERSED)
    store = ResolvedStore(resolved=[resolved(bad, ResolvedAs.APPROVED), good])
    worker = a_worker(store, Bank())
    await worker._end_resolved()
    await asyncio.sleep(0.05)
    assert store.acknowledged == [(1001, None)]
    assert (1777, ForwardKind.REPEAT) in worker._under_way
    await worker._settle()


@pytest.mark.parametrize("kind", test_resolve.FOLLOW_UPS)
def test_an_approval_by_hand_does_what_the_banks_would_and_shows_no_message(kind):
    payment = test_resolve.payment(kind)
    closing = closing_by_hand(payment, Resolution(ResolvedAs.APPROVED, REASON), NOW_MS)
    by_bank = test_resolve.closing_of(payment, test_resolve.answered(), NOW_MS)
    assert closing.outcome == Outcome("GTW_1000", "00")
    assert (closing.answer_mti, closing.response_code_39, closing.identity) == (None, None, None)
    same = {"outcome": None, "answer_mti": None, "response_code_39": None, "identity": None}
    assert replace(closing, **same, reason=None) == replace(by_bank, **same)
    assert closing.ends_turn


@pytest.mark.parametrize("kind", test_resolve.FOLLOW_UPS)
def test_a_decline_by_hand_frees_what_was_reserved_and_shows_no_word_of_a_bank(kind):
    payment = test_resolve.payment(kind)
    closing = closing_by_hand(payment, Resolution(ResolvedAs.DECLINED, REASON), NOW_MS)
    assert (closing.event, closing.outcome) == (Event.DECLINED, Outcome("BNK_2003"))
    reserved = -10_000 if kind is TransactionType.REFUND else 0
    assert closing.balance.reserved_minor == reserved


def test_a_follow_up_is_never_reversed():
    payment = test_resolve.payment(TransactionType.REFUND)
    with pytest.raises(ValueError, match="not reversed"):
        closing_by_hand(payment, Resolution(ResolvedAs.REVERSED, REASON), NOW_MS)
