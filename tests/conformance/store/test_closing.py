"""Closings: once, by the owner, with all they do to the order and around it."""

import asyncio
from dataclasses import replace

import pytest

from conformance.store.conftest import Pay, Starter
from conformance.store.samples import APPROVED, CLIENT, NOW_MS, follow_up, payment, refund_closing
from conformance.store.seated import SeatedStore
from netvalve.domain.journal import BalanceChange, Forward, ForwardKind, Move
from netvalve.domain.lifecycle import Event, IllegalTransition, State, sources_of
from netvalve.domain.order import Balance
from netvalve.domain.transaction import Outcome, Transaction, TransactionType

AUTHORIZATION = TransactionType.AUTHORIZATION


def a_forward(kind: ForwardKind, transaction: Transaction) -> Forward:
    return Forward(
        kind=kind,
        transaction_id=transaction.transaction_id,
        bank_id=1,
        next_attempt_at_ms=transaction.opened_at_ms,
        identity=transaction.identity,
        original_rrn=transaction.identity.rrn,
    )


async def waiting_in(store: SeatedStore) -> tuple[int, int]:
    """How many transactions are pending, and how many are being reversed."""
    backlog = await store.records.backlog(NOW_MS)
    return backlog.pending.count, backlog.reversing.count


async def test_an_approval_moves_transaction_order_and_balance(
    store: SeatedStore, pay: Pay
) -> None:
    one = await pay(payment())
    found = await store.records.transaction(CLIENT, one.transaction.transaction_id)
    assert found is not None
    transaction, order = found
    assert transaction == replace(
        one.transaction,
        state=State.APPROVED,
        outcome=APPROVED,
        closed_at_ms=one.closing().at_ms,
    )
    assert order == replace(
        one.order,
        state=State.APPROVED,
        balance=Balance(authorised_minor=1200, captured_minor=1200),
        charge_id=one.transaction.transaction_id,
        in_flight_id=None,
        updated_at_ms=one.closing().at_ms,
    )


async def test_the_answer_is_in_the_history(store: SeatedStore, pay: Pay) -> None:
    one = await pay(payment())
    _, entry = await store.records.history(one.transaction.transaction_id)
    assert (entry.event, entry.state, entry.sequence) == (Event.APPROVED, State.APPROVED, 2)
    assert (entry.mti, entry.response_code_39, entry.detail) == ("0210", "00", "GTW_1000")


async def test_a_second_closing_writes_nothing(store: SeatedStore, pay: Pay) -> None:
    one = await pay(payment())
    before = await store.records.transaction(CLIENT, one.transaction.transaction_id)
    assert not await store.journal.close(one.closing())
    assert await store.records.transaction(CLIENT, one.transaction.transaction_id) == before
    assert len(await store.records.history(one.transaction.transaction_id)) == 2


async def test_two_closings_in_one_batch_close_once(store: SeatedStore) -> None:
    one = payment()
    await store.journal.open(one.opening)
    closed = await asyncio.gather(*(store.journal.close(one.closing()) for _ in range(4)))
    assert sorted(closed) == [False, False, False, True]


async def test_an_earlier_start_s_transaction_is_not_ours_to_close(start: Starter) -> None:
    one, earlier = payment(), await start()
    await earlier.journal.open(one.opening)
    await earlier.stop()
    later = await start()
    assert not await later.journal.close(one.closing())
    found = await later.records.order(CLIENT, one.order.order_id)
    assert found == one.order


async def test_a_decline_ends_the_turn_and_brings_no_money(store: SeatedStore) -> None:
    one = payment()
    await store.journal.open(one.opening)
    declined = one.closing(
        Event.DECLINED,
        outcome=Outcome("BNK_2002", "05"),
        balance=BalanceChange(),
        charge_id=None,
    )
    assert await store.journal.close(declined)
    order = await store.records.order(CLIENT, one.order.order_id)
    assert order is not None
    assert (order.state, order.balance, order.in_flight_id) == (State.DECLINED, Balance(), None)


async def test_an_unanswered_sale_stores_its_reversal(store: SeatedStore) -> None:
    one = payment()
    await store.journal.open(one.opening)
    assert await waiting_in(store) == (1, 0)
    reversal = a_forward(ForwardKind.REVERSAL, one.transaction)
    closing = one.closing(
        Event.UNANSWERED,
        outcome=Outcome("GTW_2054"),
        balance=BalanceChange(),
        charge_id=None,
        forward=reversal,
    )
    assert await store.journal.close(closing)
    assert await waiting_in(store) == (0, 1)


async def test_a_repeated_refund_stays_pending_and_keeps_its_turn(
    store: SeatedStore, pay: Pay
) -> None:
    sale = await pay(payment())
    refund = follow_up(sale, TransactionType.REFUND, sources_of(Event.REFUNDED), amount_minor=500)
    transaction_id = refund.transaction.transaction_id
    assert await store.journal.open(refund.opening) is None
    repeat = a_forward(ForwardKind.REPEAT, refund.transaction)
    waiting = refund.closing(
        Event.REPEATED,
        outcome=None,
        order_event=None,
        balance=BalanceChange(),
        ends_turn=False,
        forward=repeat,
    )
    assert await store.journal.close(waiting)
    assert await store.journal.close(waiting), "it may be repeated again"
    found = await store.records.transaction(CLIENT, transaction_id)
    assert found is not None
    transaction, order = found
    assert (transaction.state, transaction.outcome) == (State.PENDING, None)
    assert transaction.closed_at_ms is None
    assert (order.in_flight_id, order.balance.reserved_minor) == (transaction_id, 500)
    assert await store.journal.close(refund_closing(refund, Event.PARTIALLY_REFUNDED))
    assert await waiting_in(store) == (0, 0)


async def test_a_capture_moves_its_authorization_and_records_the_released_rest(
    store: SeatedStore, pay: Pay
) -> None:
    first = await pay(payment(AUTHORIZATION))
    authorization_id = first.transaction.transaction_id
    capture = follow_up(first, TransactionType.CAPTURE, (State.APPROVED,), amount_minor=700)
    assert await store.journal.open(capture.opening) is None
    cancel = replace(
        capture.transaction,
        transaction_id=capture.transaction.transaction_id + 50_000_000,
        type=TransactionType.CANCEL,
        state=State.APPROVED,
        amount_minor=500,
        outcome=Outcome("GTW_1000"),
        closed_at_ms=capture.transaction.opened_at_ms,
    )
    closing = capture.closing(
        order_event=Event.PARTIALLY_CAPTURED,
        balance=BalanceChange(captured_minor=700),
        charge_id=capture.transaction.transaction_id,
        moves=(Move(authorization_id, Event.PARTIALLY_CAPTURED),),
        recorded=cancel,
    )
    assert await store.journal.close(closing)
    authorization, captured, recorded = await store.records.transactions_of(
        CLIENT, first.order.order_id
    )
    assert authorization.state is State.PARTIALLY_SETTLED
    assert captured.state is State.APPROVED
    assert recorded == cancel
    moved = (await store.records.history(authorization_id))[-1]
    assert (moved.event, moved.state) == (Event.PARTIALLY_CAPTURED, State.PARTIALLY_SETTLED)
    history = await store.records.history(cancel.transaction_id)
    assert [entry.event for entry in history] == [Event.OPENED, Event.APPROVED]
    order = await store.records.order(CLIENT, first.order.order_id)
    assert order is not None
    assert (order.state, order.charge_id) == (State.PARTIALLY_SETTLED, captured.transaction_id)


async def test_a_move_from_a_wrong_state_fails_its_item_alone(store: SeatedStore, pay: Pay) -> None:
    first = await pay(payment(AUTHORIZATION))
    capture = follow_up(first, TransactionType.CAPTURE, (State.APPROVED,), amount_minor=1200)
    other = payment()
    await store.journal.open(capture.opening)
    await store.journal.open(other.opening)
    wrong = capture.closing(
        order_event=Event.CAPTURED,
        balance=BalanceChange(captured_minor=1200),
        moves=(Move(first.transaction.transaction_id, Event.LATE_APPROVAL),),
    )
    failed, closed = await asyncio.gather(
        store.journal.close(wrong), store.journal.close(other.closing()), return_exceptions=True
    )
    assert isinstance(failed, IllegalTransition)
    assert closed is True
    order = await store.records.order(CLIENT, first.order.order_id)
    assert order is not None
    assert (order.state, order.in_flight_id) == (
        State.APPROVED,
        capture.transaction.transaction_id,
    )


async def test_the_database_refuses_a_refund_above_the_captured_money(
    store: SeatedStore, pay: Pay
) -> None:
    """Even a closing that no claim has guarded."""
    sale = await pay(payment())
    refund = follow_up(sale, TransactionType.REFUND, sources_of(Event.REFUNDED), amount_minor=1)
    await store.journal.open(refund.opening)
    too_much = refund.closing(
        order_event=Event.REFUNDED, balance=BalanceChange(refunded_minor=1201)
    )
    with pytest.raises(Exception, match="orders_money"):
        await store.journal.close(too_much)
