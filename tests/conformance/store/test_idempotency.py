"""Idempotency keys: taken with an opening or not at all, known for their life and no longer."""

import asyncio
from dataclasses import replace

from conformance.store.conftest import Pay, Starter
from conformance.store.samples import (
    CLIENT,
    KEY_LIFE_MS,
    NOW_MS,
    Payment,
    follow_up,
    keyed,
    payment,
)
from conformance.store.seated import IMPOSSIBLE, SeatedStore
from netvalve.domain.journal import KeyedTransaction, OpeningRefusal
from netvalve.domain.lifecycle import Event, State, sources_of
from netvalve.domain.transaction import TransactionType

SINCE_MS = NOW_MS - KEY_LIFE_MS


async def found(store: SeatedStore, key: str, client_id: int = CLIENT) -> KeyedTransaction | None:
    return await store.records.of_key(client_id, key, SINCE_MS)


async def test_a_key_leads_to_what_it_opened_as_it_stands(store: SeatedStore) -> None:
    one = keyed(payment(), "K-1")
    assert await store.journal.open(one.opening) is None
    pending = await found(store, "K-1")
    assert pending == KeyedTransaction(one.opening.keyed, one.transaction, one.order)  # type: ignore[arg-type]  # it is keyed
    assert await store.journal.close(one.closing())
    ended = await found(store, "K-1")
    assert ended is not None
    assert ended.transaction.state is State.APPROVED


async def test_a_key_survives_a_restart(start: Starter) -> None:
    store = await start()
    one = keyed(payment(), "K-1")
    await store.journal.open(one.opening)
    before = await found(store, "K-1")
    await store.stop()
    assert await found(await start(), "K-1") == before is not None


async def test_of_all_with_one_key_one_is_opened_and_the_others_leave_nothing(
    store: SeatedStore,
) -> None:
    same = [keyed(payment(client_order_id=f"A-{index}"), "K-1") for index in range(50)]
    answers = await asyncio.gather(*(store.journal.open(each.opening) for each in same))
    assert sorted(map(str, answers)) == [*["DUPLICATE_KEY"] * 49, "None"]
    for each, answer in zip(same, answers, strict=True):
        order = await store.records.order_by_client_order_id(
            CLIENT, str(each.order.client_order_id)
        )
        assert (order is None) is (answer is OpeningRefusal.DUPLICATE_KEY)


async def test_a_refused_opening_leaves_its_key_free(store: SeatedStore, pay: Pay) -> None:
    await pay(payment(client_order_id="A-1"))
    again = keyed(payment(client_order_id="A-1"), "K-1")
    assert await store.journal.open(again.opening) is OpeningRefusal.DUPLICATE_CLIENT_ORDER
    assert await found(store, "K-1") is None
    assert await store.journal.open(keyed(payment(), "K-1").opening) is None


async def test_a_key_refuses_a_follow_up_and_leaves_the_order_its_turn(
    store: SeatedStore, pay: Pay
) -> None:
    sold = await pay(keyed(payment(), "K-1"))
    refund = follow_up(sold, TransactionType.REFUND, sources_of(Event.REFUNDED), amount_minor=100)
    assert await store.journal.open(keyed(refund, "K-1").opening) is OpeningRefusal.DUPLICATE_KEY
    order = await store.records.order(CLIENT, sold.order.order_id)
    assert order is not None
    assert (order.in_flight_id, order.balance.reserved_minor) == (None, 0)
    assert await store.journal.open(keyed(refund, "K-2").opening) is None


async def test_two_clients_may_use_the_same_key(store: SeatedStore) -> None:
    mine, theirs = keyed(payment(), "K-1"), keyed(payment(client_id=2), "K-1")
    for each in (mine, theirs):
        assert await store.journal.open(each.opening) is None
    for client_id, each in ((CLIENT, mine), (2, theirs)):
        known = await found(store, "K-1", client_id)
        assert known is not None
        assert known.transaction == each.transaction
    assert await found(store, "K-1", 3) is None


async def test_a_key_that_has_ended_opens_another_transaction(store: SeatedStore) -> None:
    old = keyed(payment(), "K-1", at_ms=SINCE_MS - 1, since_ms=0)
    assert await store.journal.open(old.opening) is None
    assert await found(store, "K-1") is None
    new = keyed(payment(), "K-1")
    assert await store.journal.open(new.opening) is None
    known = await found(store, "K-1")
    assert known is not None
    assert known.transaction == new.transaction


async def test_a_key_is_known_to_the_last_moment_of_its_life(store: SeatedStore) -> None:
    old = keyed(payment(), "K-1", at_ms=SINCE_MS, since_ms=0)
    await store.journal.open(old.opening)
    assert await found(store, "K-1") is not None
    assert await store.journal.open(keyed(payment(), "K-1").opening) is OpeningRefusal.DUPLICATE_KEY


async def test_keys_that_have_ended_are_forgotten_a_few_at_a_time(store: SeatedStore) -> None:
    for age in range(5):
        old = keyed(payment(), f"old {age}", at_ms=SINCE_MS - 5 + age, since_ms=0)
        assert await store.journal.open(old.opening) is None
    await store.journal.open(keyed(payment(), "living", at_ms=SINCE_MS).opening)
    assert await store.keys.forget(SINCE_MS, 3) == 3
    left = [age for age in range(5) if await store.records.of_key(CLIENT, f"old {age}", 0)]
    assert left == [3, 4], "the oldest go first"
    assert [await store.keys.forget(SINCE_MS, 3) for _ in range(2)] == [2, 0]
    assert await found(store, "living") is not None


async def test_a_transaction_outlives_its_key(store: SeatedStore, pay: Pay) -> None:
    one = await pay(keyed(payment(client_order_id="A-1"), "K-1", at_ms=1, since_ms=0))
    assert await store.keys.forget(SINCE_MS, 10) == 1
    assert await store.records.transaction(CLIENT, one.transaction.transaction_id) is not None
    again = keyed(payment(client_order_id="A-1"), "K-1")
    assert await store.journal.open(again.opening) is OpeningRefusal.DUPLICATE_CLIENT_ORDER


async def test_an_impossible_opening_takes_no_key(store: SeatedStore) -> None:
    good = payment()
    bad = keyed(payment(), "K-1")
    broken = Payment(replace(bad.opening, transaction=good.transaction))
    answers = await asyncio.gather(
        *(store.journal.open(each.opening) for each in (good, broken)), return_exceptions=True
    )
    assert isinstance(answers[1], IMPOSSIBLE)
    assert await found(store, "K-1") is None
