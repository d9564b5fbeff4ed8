"""A row that somebody else holds: who wants it waits, and is refused in the end; nobody else is."""

import asyncio
from time import monotonic

import pytest

from conformance.postgres.nodes import ORDER, Locks, Nodes
from conformance.store.samples import Payment, follow_up, keyed, payment
from conformance.store.test_take_over import opened
from netvalve.domain.journal import Closing, OpeningRefusal, StoreUnavailable
from netvalve.domain.lifecycle import Event, sources_of
from netvalve.domain.transaction import TransactionType
from netvalve.storage.postgres import batch_writer

SOON_S = 2.0
"""Half of what a statement waits for a lock at most."""
REFUND_FROM = sources_of(Event.REFUNDED)


async def closed(nodes: Nodes, *closings: Closing) -> list[object]:
    """What each hears of the first node; they go in one batch."""
    closing = map(nodes[0].journal.close, closings)
    return list(await asyncio.gather(*closing, return_exceptions=True))


async def some_opened(nodes: Nodes, count: int) -> list[Closing]:
    return [(await opened(nodes[0].seat)).closing() for _ in range(count)]


async def test_what_shares_a_batch_with_a_locked_order_is_written(
    nodes: Nodes, locks: Locks
) -> None:
    one = await opened(nodes[0].seat)
    others = await some_opened(nodes, 5)
    async with locks.held(ORDER, one.order.order_id):
        refused, *written = await closed(nodes, one.closing(), *others)
    assert isinstance(refused, StoreUnavailable)
    assert written == [True] * 5
    assert await closed(nodes, one.closing()) == [True]


async def test_a_locked_order_is_waited_for_at_length_once(nodes: Nodes, locks: Locks) -> None:
    one = await opened(nodes[0].seat)
    others = await some_opened(nodes, 3)
    async with locks.held(ORDER, one.order.order_id):
        await closed(nodes, one.closing(), *await some_opened(nodes, 1))
        began_s = monotonic()
        for other in others:
            assert await closed(nodes, other, one.closing()) != [True, True]
        assert monotonic() - began_s < SOON_S


async def test_a_lock_is_waited_for_again_once_none_has_been_found_for_a_while(
    nodes: Nodes, locks: Locks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_writer, "_BRIEF_S", 0.1)
    one = await opened(nodes[0].seat)
    async with locks.held(ORDER, one.order.order_id):
        await closed(nodes, one.closing(), *await some_opened(nodes, 1))
    await asyncio.sleep(0.2)
    async with locks.held(ORDER, one.order.order_id):
        closing = asyncio.create_task(closed(nodes, one.closing()))
        await asyncio.sleep(0.5)
    assert await closing == [True]


def a_refund(sale: Payment) -> Payment:
    return follow_up(sale, TransactionType.REFUND, REFUND_FROM, amount_minor=100)


@pytest.mark.parametrize("beside", [0, 3])
async def test_a_key_used_while_its_second_request_waited_for_the_order_is_a_known_key(
    beside: int, nodes: Nodes, locks: Locks
) -> None:
    """Alone, and in a batch with others: the merchant hears of the first, and of no busy order."""
    first, second = nodes
    sale = await opened(first.seat)
    assert await first.journal.close(sale.closing())
    one, again = (keyed(a_refund(sale), "K-1") for _ in range(2))
    async with locks.held(ORDER, sale.order.order_id):
        opening = asyncio.create_task(first.journal.open(one.opening))
        await locks.waiting(1)
        asked = [again, *(payment() for _ in range(beside))]
        repeated = [asyncio.create_task(second.journal.open(each.opening)) for each in asked]
        await locks.waiting(2)
    assert await opening is None
    assert await asyncio.gather(*repeated) == [OpeningRefusal.DUPLICATE_KEY, *[None] * beside]
