"""Stored messages: found when due, put off, ended once."""

from conformance.store.conftest import Pay
from conformance.store.samples import CLIENT, NOW_MS, Payment, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.journal import PAUSE_MAX_MS, BalanceChange, Forward, ForwardKind
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import MessageIdentity, Outcome

BANK = 1
OWN = MessageIdentity("1122130500", "000077", "632613000077", "NV000000")


async def an_unanswered_sale(store: SeatedStore) -> Payment:
    """A sale whose reversal is stored, due at NOW_MS + 1000."""
    one = payment()
    await store.journal.open(one.opening)
    transaction = one.transaction
    await store.journal.close(
        one.closing(
            Event.UNANSWERED,
            outcome=Outcome("GTW_2054"),
            balance=BalanceChange(),
            charge_id=None,
            forward=Forward(
                ForwardKind.REVERSAL,
                transaction.transaction_id,
                BANK,
                NOW_MS + 1000,
                OWN,
                transaction.identity.rrn,
            ),
        )
    )
    return one


async def state_of(store: SeatedStore, one: Payment) -> tuple[State, State]:
    """The transaction's state, and its order's."""
    found = await store.records.transaction(CLIENT, one.transaction.transaction_id)
    assert found is not None
    return found[0].state, found[1].state


async def test_a_message_is_due_from_its_time_on_with_all_it_is_about(store: SeatedStore) -> None:
    one = await an_unanswered_sale(store)
    assert await store.forwards.due(BANK, NOW_MS + 999, 10) == ()
    (message,) = await store.forwards.due(BANK, NOW_MS + 1000, 10)
    assert message.forward.identity == OWN
    assert message.attempts == 0
    assert message.transaction.transaction_id == one.transaction.transaction_id
    assert message.order.order_id == one.order.order_id


async def test_a_message_put_off_is_due_later_and_counts_what_was_tried(
    store: SeatedStore,
) -> None:
    await an_unanswered_sale(store)
    (message,) = await store.forwards.due(BANK, NOW_MS + 1000, 10)
    await store.forwards.postpone(message.forward, NOW_MS + 2000, counted=True)
    await store.forwards.postpone(message.forward, NOW_MS + 3000, counted=False)
    assert await store.forwards.due(BANK, NOW_MS + 2999, 10) == ()
    (again,) = await store.forwards.due(BANK, NOW_MS + 3000, 10)
    assert again.attempts == 1


async def test_an_acknowledged_reversal_ends_transaction_and_order_once(
    store: SeatedStore,
) -> None:
    one = await an_unanswered_sale(store)
    (message,) = await store.forwards.due(BANK, NOW_MS + 1000, 10)
    assert await store.forwards.acknowledge(message, NOW_MS + 1100, "00")
    assert not await store.forwards.acknowledge(message, NOW_MS + 1200, "00")
    assert await state_of(store, one) == (State.REVERSED, State.REVERSED)
    assert await store.forwards.due(BANK, NOW_MS + 10_000_000, 10) == ()
    backlog = await store.records.backlog(NOW_MS)
    assert (backlog.pending.count, backlog.reversing.count) == (0, 0)
    last = (await store.records.history(one.transaction.transaction_id))[-1]
    assert (last.event, last.response_code_39) == (Event.REVERSAL_ACKNOWLEDGED, "00")


async def test_a_late_approval_opens_the_reversal_again(store: SeatedStore) -> None:
    one = await an_unanswered_sale(store)
    (message,) = await store.forwards.of_original(one.transaction.identity.rrn)
    await store.forwards.acknowledge(message, NOW_MS + 1100, "25")
    assert await store.forwards.reopen(message, NOW_MS + 1200, "00")
    assert await state_of(store, one) == (State.REVERSING, State.REVERSING)
    (again,) = await store.forwards.due(BANK, NOW_MS + 1200, 10)
    assert again.forward.identity == OWN
    assert await store.forwards.acknowledge(again, NOW_MS + 1300, "00")
    assert await state_of(store, one) == (State.REVERSED, State.REVERSED)


async def test_only_what_is_reversed_is_found_by_its_original(store: SeatedStore, pay: Pay) -> None:
    sold = await pay(payment())
    assert await store.forwards.of_original(sold.transaction.identity.rrn) == ()


async def test_a_bank_is_sent_its_own_messages_alone(store: SeatedStore) -> None:
    await an_unanswered_sale(store)
    assert await store.forwards.due(BANK + 1, NOW_MS + 1000, 10) == ()


async def test_the_history_names_the_message_that_undid_it(store: SeatedStore) -> None:
    one = await an_unanswered_sale(store)
    (message,) = await store.forwards.due(BANK, NOW_MS + 1000, 10)
    await store.forwards.acknowledge(message, NOW_MS + 1100, "00")
    last = (await store.records.history(one.transaction.transaction_id))[-1]
    assert (last.mti, last.identity) == ("0430", OWN)


async def test_what_waits_longer_than_anything_may_is_due(store: SeatedStore) -> None:
    one = await an_unanswered_sale(store)
    put_back_ms = NOW_MS + 1000 - PAUSE_MAX_MS
    assert await store.forwards.due(BANK, put_back_ms, 10) == ()
    (message,) = await store.forwards.due(BANK, put_back_ms - 1, 10)
    assert message.transaction.transaction_id == one.transaction.transaction_id


async def test_an_attempt_from_before_a_late_approval_ends_nothing(store: SeatedStore) -> None:
    one = await an_unanswered_sale(store)
    (before,) = await store.forwards.due(BANK, NOW_MS + 1000, 10)
    assert await store.forwards.reopen(before, before.forward.next_attempt_at_ms, "00")
    assert not await store.forwards.acknowledge(before, NOW_MS + 1100, "25")
    assert await state_of(store, one) == (State.REVERSING, State.REVERSING)
    (again,) = await store.forwards.due(BANK, NOW_MS + 1100, 10)
    assert await store.forwards.acknowledge(again, NOW_MS + 1200, "00")
