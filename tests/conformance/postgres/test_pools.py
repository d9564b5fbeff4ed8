"""Who uses a pool and is cancelled ends at once, whatever has become of the line."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from conformance.postgres.line import Line
from netvalve.storage.postgres.pools import Readers, Writers

WITHIN_S = 2.0
"""Much less than a connection is waited for."""


async def read(url: str) -> Callable[[], Awaitable[object]]:
    readers = Readers(url, 1, "test", 60)
    await readers.start()
    return lambda: readers.fetch("SELECT 1")


async def read_one_moment(url: str) -> Callable[[], Awaitable[object]]:
    readers = Readers(url, 1, "test", 60)
    await readers.start()

    async def work() -> object:
        async with readers.one_moment() as connection:
            return await connection.fetchval("SELECT 1")

    return work


async def write(url: str) -> Callable[[], Awaitable[object]]:
    writers = Writers(url, 1, "test", 60)
    await writers.start()

    async def work(connection: asyncpg.Connection) -> object:
        return await connection.fetchval("SELECT 1")

    return lambda: writers.write(work)


@pytest.mark.parametrize("kind", [read, read_one_moment, write])
async def test_a_cancellation_is_never_hidden_by_a_line_that_carries_nothing(
    line: Line, kind: Callable[[str], Awaitable[Callable[[], Awaitable[object]]]]
) -> None:
    use = await kind(line.url)
    await use()
    line.withholds_requests = True
    using = asyncio.ensure_future(use())
    await asyncio.sleep(0.1)
    using.cancel()
    await asyncio.wait([using], timeout=WITHIN_S)
    assert using.cancelled()
