"""A gateway whose clock is wrong takes numbers of months that have tables, and spoils no other's.

Months are the server's: it makes their tables, and its clock bounds everybody's numbers.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from conformance.store.months import MovedClock, in_month
from conformance.store.samples import payment
from conformance.store.seated import SeatedStore, started
from netvalve.storage.engine import engine_of
from netvalve.storage.months import month_after, month_of, month_of_number
from netvalve.storage.postgres.partitions import server_now_ms

WITHIN_S = 5.0
BLOCKS = 5
YEAR_MS = 366 * 86_400_000
Wrong = Callable[[int], Awaitable[SeatedStore]]


@pytest.fixture
def now_ms(postgres_url: str) -> int:
    """The server's time."""
    with engine_of(postgres_url) as engine, engine.connect() as connection:
        return server_now_ms(connection)


@pytest.fixture
async def start(postgres_url: str) -> AsyncIterator[Wrong]:
    """Starts a gateway whose clock stands where it is put."""
    running: list[SeatedStore] = []

    async def start(at_ms: int) -> SeatedStore:
        node = await started(postgres_url, MovedClock(at_ms), f"node {len(running)}")
        running.append(node)
        return node

    yield start
    for node in running:
        await node.stop()


async def months_used(node: SeatedStore) -> set[int]:
    """Of the numbers of some blocks, all of which can be written."""
    async with asyncio.timeout(WITHIN_S):
        orders = [await node.identifiers.order_id() for _ in range(BLOCKS * 1000)]
        transactions = [await node.identifiers.transaction_id() for _ in range(BLOCKS * 1000)]
    months = {month_of_number(number) for number in (*orders, *transactions)}
    for month in months:
        assert await node.journal.open(in_month(month, payment()).opening) is None
    return months


@pytest.mark.parametrize("wrong_ms", [YEAR_MS, 50 * YEAR_MS, -YEAR_MS])
async def test_a_wrong_clock_leaves_everybody_numbers_that_have_tables(
    wrong_ms: int, start: Wrong, now_ms: int
) -> None:
    right, wrong = await start(now_ms), await start(now_ms + wrong_ms)
    usual = {month_of(now_ms), month_after(month_of(now_ms))}
    assert await months_used(wrong) <= usual
    assert await months_used(right) <= usual


async def test_a_clock_that_goes_wrong_in_a_running_gateway_takes_it_to_the_next_month_at_most(
    postgres_url: str, now_ms: int
) -> None:
    clock = MovedClock(now_ms)
    node = await started(postgres_url, clock)
    await node.identifiers.order_id()
    clock.set(now_ms + YEAR_MS)
    assert await months_used(node) == {month_after(month_of(now_ms))}
    clock.set(now_ms)
    assert await months_used(node) == {month_after(month_of(now_ms))}
    await node.stop()
