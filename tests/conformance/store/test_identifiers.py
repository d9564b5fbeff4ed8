"""Identifiers: unique for ever, whatever restarts, and of the month they are taken in."""

import asyncio

from conformance.store.conftest import Starter
from conformance.store.samples import NOW_MS
from conformance.store.seated import SeatedStore
from netvalve.storage.months import month_of, month_of_number

MONTH = month_of(NOW_MS)


async def test_numbers_are_unique_under_concurrent_use_and_over_restarts(start: Starter) -> None:
    seen: list[int] = []
    for _ in range(3):
        store = await start()
        numbers = asyncio.gather(*(store.identifiers.transaction_id() for _ in range(1_500)))
        seen += await numbers
        await store.stop()
    assert len(set(seen)) == 4_500
    assert {month_of_number(number) for number in seen} == {MONTH}


async def test_no_two_messages_share_terminal_and_trace_number(start: Starter) -> None:
    seen: set[tuple[str, str]] = set()
    for _ in range(2):
        store = await start()
        for _ in range(11_000):
            identity = await store.identifiers.message_identity(NOW_MS)
            seen.add((identity.terminal_id, identity.stan))
        await store.stop()
    assert len(seen) == 22_000
    assert "000000" not in {stan for _, stan in seen}


async def test_a_message_identity_has_the_form_of_its_fields(store: SeatedStore) -> None:
    identity = await store.identifiers.message_identity(NOW_MS)
    assert identity.transmitted_at == "0615150640"
    assert identity.rrn == "516615" + identity.stan
    assert len(identity.stan) == 6
    assert identity.terminal_id == "NV000000"


async def test_orders_and_cards_have_numbers_of_their_own(store: SeatedStore) -> None:
    order_id, card_id = await store.identifiers.order_id(), await store.identifiers.card_id()
    assert await store.identifiers.order_id() == order_id + 1
    assert await store.identifiers.card_id() == card_id + 1
