"""Openings: durable, whole, and refused one by one."""

import asyncio
from dataclasses import replace

from conformance.store.conftest import Pay
from conformance.store.samples import CLIENT, payment
from conformance.store.seated import IMPOSSIBLE, SeatedStore
from netvalve.domain.journal import OpeningRefusal
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.order import Customer, Details, ThreeDS


async def test_everything_of_an_order_and_a_transaction_comes_back(store: SeatedStore) -> None:
    details = Details(
        customer=Customer(
            "Zoë", "Öst", "1 High St", "12345", "Lund", "M", "SE", "1", "Z@X.se", "::1"
        ),
        three_ds=ThreeDS(eci="05", cavv="AAAB", version="2.2.0", frictionless=True),
        description="shoes",
        descriptor="SHOES*1",
        wallet_type="GOOGLE_PAY",
        source="HPP",
        additional_data={"level2": {"tax": 3}, "requestTransactionType": "RECURRING"},
        additional_parameters={"colour": "blue"},
    )
    one = payment(client_order_id="A-1", site_id="site", details=details, parent_id=7)
    assert await store.journal.open(one.opening) is None
    found = await store.records.transaction(CLIENT, one.transaction.transaction_id)
    assert found == (one.transaction, one.order)
    assert await store.records.order_by_client_order_id(CLIENT, "A-1") == one.order


async def test_an_opening_is_the_first_entry_of_the_history(store: SeatedStore) -> None:
    one = payment()
    await store.journal.open(one.opening)
    (entry,) = await store.records.history(one.transaction.transaction_id)
    assert (entry.event, entry.state, entry.sequence) == (Event.OPENED, State.PENDING, 1)
    assert (entry.mti, entry.identity, entry.node) == ("0200", one.transaction.identity, "test")


async def test_a_duplicate_in_one_batch_refuses_that_item_alone(store: SeatedStore) -> None:
    same = [payment(client_order_id="A-1") for _ in range(5)]
    other = payment(client_order_id="A-2")
    answers = await asyncio.gather(*(store.journal.open(each.opening) for each in (*same, other)))
    assert sorted(map(str, answers)) == ["DUPLICATE_CLIENT_ORDER"] * 4 + ["None"] * 2
    assert answers[-1] is None
    refused = [each for each, answer in zip(same, answers, strict=False) if answer is not None]
    for each in refused:
        assert await store.records.order(CLIENT, each.order.order_id) is None
        assert await store.records.history(each.transaction.transaction_id) == ()


async def test_two_clients_may_use_the_same_order_number(store: SeatedStore) -> None:
    for client_id in (1, 2):
        one = payment(client_order_id="A-1", client_id=client_id)
        assert await store.journal.open(one.opening) is None


async def test_orders_without_a_number_never_clash(store: SeatedStore) -> None:
    for _ in range(2):
        assert await store.journal.open(payment().opening) is None


async def test_a_known_card_keeps_its_vault_row(store: SeatedStore) -> None:
    first, second, third = payment(), payment(), payment(client_id=2)
    for each in (first, second, third):
        await store.journal.open(each.opening)
    kept = await store.records.order(CLIENT, second.order.order_id)
    assert kept is not None
    assert kept.card.card_id == first.order.card.card_id
    assert await store.records.sealed_card(CLIENT, second.order.card.card_id) is None
    assert await store.records.sealed_card(2, third.order.card.card_id) is not None
    assert await store.records.sealed_card(2, first.order.card.card_id) is None


async def test_another_clients_rows_do_not_exist(store: SeatedStore, pay: Pay) -> None:
    one = await pay(payment(client_order_id="A-1"))
    assert await store.records.order(2, one.order.order_id) is None
    assert await store.records.order_by_client_order_id(2, "A-1") is None
    assert await store.records.transaction(2, one.transaction.transaction_id) is None
    assert await store.records.transactions_of(2, one.order.order_id) == ()


async def test_an_impossible_item_fails_alone(store: SeatedStore) -> None:
    """It is rolled back whole and the batch is written again without it."""
    good = [payment(client_order_id=f"G-{index}") for index in range(3)]
    bad = payment(client_order_id="BAD")
    broken = replace(bad.opening, transaction=good[0].transaction)
    answers = await asyncio.gather(
        *(store.journal.open(each) for each in (good[0].opening, broken, good[1].opening)),
        store.journal.open(good[2].opening),
        return_exceptions=True,
    )
    assert isinstance(answers[1], IMPOSSIBLE)
    assert [answers[0], *answers[2:]] == [None] * 3
    assert await store.records.order_by_client_order_id(CLIENT, "BAD") is None
    assert await store.records.order_by_client_order_id(CLIENT, "G-2") is not None
    assert await store.journal.open(bad.opening) is None


async def test_a_number_beyond_64_bits_finds_nothing(store: SeatedStore) -> None:
    assert await store.records.order(CLIENT, 2**70) is None


async def test_an_opening_that_nobody_wants_any_more_leaves_its_order_number_free(
    store: SeatedStore,
) -> None:
    given_up, again = payment(client_order_id="A-1"), payment(client_order_id="A-1")
    refused = await store.journal.open(given_up.opening, lambda: False)
    assert refused is OpeningRefusal.WITHDRAWN
    assert await store.records.transaction(CLIENT, given_up.transaction.transaction_id) is None
    assert await store.journal.open(again.opening) is None
