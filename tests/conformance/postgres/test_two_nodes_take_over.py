"""What two gateways take over, renew and begin at the same time."""

import asyncio

import pytest

from conformance.postgres.nodes import (
    AT_ONCE_S,
    ORDER,
    Locks,
    Nodes,
    a_reversal,
    acknowledged,
    left_behind,
)
from conformance.store.conftest import Passing
from conformance.store.samples import payment
from conformance.store.test_take_over import opened, repeating, state_of, unanswered
from netvalve.domain.journal import StoreUnavailable
from netvalve.domain.lifecycle import Event, State
from netvalve.storage.postgres.orphans import PostgresOrphans
from stores import rows_of


async def test_two_that_join_at_once_have_an_epoch_and_a_journal_each(
    nodes: Nodes, postgres_url: str
) -> None:
    seats = await asyncio.gather(*(node.join(f"node {n}") for n in range(8) for node in nodes))
    await asyncio.gather(*(seat.journal.open(payment().opening) for seat in seats))
    epochs = rows_of(postgres_url, "SELECT DISTINCT owner_epoch FROM transactions")
    assert len(epochs) == len(seats)


async def test_a_message_that_another_node_has_locked_is_left_to_it(
    nodes: Nodes, pass_s: Passing, locks: Locks
) -> None:
    first, second = nodes
    left = [await repeating(first.seat) for _ in range(3)]
    epoch = await left_behind(pass_s, second.seat)
    for table in ("transactions", "forwards"):
        held = f"SELECT 1 FROM {table} WHERE transaction_id = $1 FOR UPDATE"
        number = left[0].transaction.transaction_id
        async with locks.held(held, number), asyncio.timeout(AT_ONCE_S):
            adopted = await second.orphans.adopt(epoch, 10)
        assert adopted == (2 if table == "transactions" else 0)
    assert await second.orphans.adopt(epoch, 10) == 1
    for one in left:
        assert await second.journal.close(one.closing())


async def test_two_that_adopt_at_once_share_and_neither_waits_for_the_other(
    nodes: Nodes, pass_s: Passing, postgres_url: str, locks: Locks
) -> None:
    first, second = nodes
    third = await second.join("third")
    for _ in range(9):
        await repeating(first.seat)
    epoch = await left_behind(pass_s, second.seat, third)
    assert isinstance(second.orphans, PostgresOrphans)
    async with locks.held("SELECT 1") as connection:  # a take-over that is not committed yet
        assert await second.orphans._adopted(connection, epoch=epoch, limit=4) == 4
        async with asyncio.timeout(AT_ONCE_S):
            assert await third.orphans.adopt(epoch, 10) == 5
    assert await third.orphans.adopt(epoch, 10) == 0
    query = "SELECT count(*) FROM forwards JOIN transactions USING (transaction_id, owner_epoch)"
    assert rows_of(postgres_url, query) == [(9,)]


async def test_an_orphan_is_closed_by_one_of_two_that_stand_in_line_for_it(
    nodes: Nodes, pass_s: Passing, locks: Locks
) -> None:
    first, second = nodes
    third = await second.join("third")
    one = await opened(first.seat)
    await left_behind(pass_s, second.seat, third)
    async with locks.held(ORDER, one.order.order_id):
        closing = await locks.queue(
            second.orphans.close(unanswered(one)),
            third.orphans.close(unanswered(one)),
            first.journal.close(one.closing()),
        )
    assert await asyncio.gather(*closing) == [True, False, False]
    history = await second.records.history(one.transaction.transaction_id)
    assert [each.event for each in history] == [Event.OPENED, Event.UNANSWERED]


async def test_what_its_own_gateway_closes_first_is_no_orphan_any_more(
    nodes: Nodes, pass_s: Passing, postgres_url: str, locks: Locks
) -> None:
    first, second = nodes
    one = await opened(first.seat)
    await left_behind(pass_s, second.seat)
    async with locks.held(ORDER, one.order.order_id):
        closing = await locks.queue(
            first.journal.close(one.closing()), second.orphans.close(unanswered(one))
        )
    assert await asyncio.gather(*closing) == [True, False]
    assert await state_of(first, one) is State.APPROVED
    assert rows_of(postgres_url, "SELECT node FROM transactions") == [("first",)]


async def test_a_lease_renewed_while_a_take_over_waits_keeps_what_is_left(
    nodes: Nodes, pass_s: Passing, locks: Locks
) -> None:
    first, second = nodes
    one = await opened(first.seat)
    await left_behind(pass_s, second.seat)
    async with locks.held(ORDER, one.order.order_id):
        (taking_over,) = await locks.queue(second.orphans.close(unanswered(one)))
        await first.lease.renew()
    assert not await taking_over
    assert await first.journal.close(one.closing())


async def test_a_renewal_waits_neither_for_a_take_over_nor_for_workers(
    nodes: Nodes, pass_s: Passing, locks: Locks
) -> None:
    first, second = nodes
    await repeating(first.seat)
    messages = [await a_reversal(second) for _ in range(4)]
    epoch = await left_behind(pass_s, second.seat)
    assert isinstance(second.orphans, PostgresOrphans)
    async with (
        locks.held("SELECT 1") as taking_over,
        locks.held("SELECT 1 FROM orders FOR UPDATE"),
    ):
        assert await second.orphans._adopted(taking_over, epoch=epoch, limit=10) == 1
        busy = [asyncio.ensure_future(acknowledged(second, each)) for each in messages]
        await locks.waiting(2)
        async with asyncio.timeout(AT_ONCE_S):
            await asyncio.gather(first.lease.renew(), second.lease.renew())
    assert all(await asyncio.gather(*busy))


async def test_a_gateway_that_was_forgotten_renews_no_lease(
    nodes: Nodes, pass_s: Passing, postgres_url: str
) -> None:
    first, second = nodes
    pass_s(90_000)
    await second.lease.renew()
    await second.join("third")
    with pytest.raises(StoreUnavailable):
        await first.lease.renew()
    writers = "SELECT node, count(*) FROM batches JOIN nodes USING (epoch) GROUP BY node"
    assert sorted(rows_of(postgres_url, writers)) == [("second", 2), ("third", 2)]
    assert rows_of(postgres_url, "SELECT count(*) FROM batches") == [(4,)]
