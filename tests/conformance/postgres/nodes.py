"""Two gateways on one database, and ways to have them meet at one row."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import asyncpg

from conformance.store.conftest import Passing
from conformance.store.samples import NOW_MS
from conformance.store.seated import SeatedStore
from conformance.store.test_take_over import BANK, opened, unanswered
from netvalve.bootstrap.store import Seat
from netvalve.domain.journal import StoredMessage

AT_ONCE_S = 3.0
"""Less than a statement waits for a lock."""
LATER_MS = NOW_MS + 50
ORDER = "SELECT 1 FROM orders WHERE order_id = $1 FOR UPDATE"
TRANSACTION = "SELECT 1 FROM transactions WHERE transaction_id = $1 FOR UPDATE"
_STANDING = """
SELECT count(*) FROM pg_stat_activity, pg_sleep(0.01)
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""
_CONNECTED = """
SELECT count(*) FROM pg_stat_activity, pg_sleep(0.01)
WHERE application_name LIKE 'netvalve%' AND datname = current_database()
"""
_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"

Nodes = tuple[SeatedStore, SeatedStore]


class Locks:
    """What stands in line at the locks of one database."""

    def __init__(self, database_url: str, watching: asyncpg.Connection) -> None:
        self._database_url, self._watching = database_url, watching

    @asynccontextmanager
    async def held(self, query: str, *values: object) -> AsyncIterator[asyncpg.Connection]:
        """Hold what a query locks, until the end."""
        connection = await asyncpg.connect(self._database_url)
        try:
            async with connection.transaction():
                await connection.execute(query, *values)
                yield connection
        finally:
            await connection.close()

    async def queue(self, *work: Awaitable[bool]) -> list[asyncio.Future[bool]]:
        """Begin each when the one before stands in line."""
        begun = []
        for each in work:
            begun.append(asyncio.ensure_future(each))
            await self.waiting(len(begun))
        return begun

    async def waiting(self, count: int) -> None:
        """Until so many stand in line."""
        await self._until(_STANDING, count)

    async def deadlocks(self, nodes: Nodes) -> int:
        """How many there were; what a connection has counted it tells when it ends."""
        for node in nodes:
            await node.stop()
        await self._until(_CONNECTED, 0)
        counted: int = await self._watching.fetchval(_DEADLOCKS)
        return counted

    async def _until(self, query: str, expected: int) -> None:
        count = -1
        async with asyncio.timeout(AT_ONCE_S):
            while count != expected:
                count = await self._watching.fetchval(query)


async def left_behind(pass_s: Passing, *others: Seat) -> int:
    """The epoch of a gateway whose lease runs out, while those of the others go on."""
    pass_s(60)
    await asyncio.gather(*(seat.lease.renew() for seat in others))
    (epoch,) = await others[0].orphans.left_by()
    return epoch


async def a_reversal(node: SeatedStore) -> StoredMessage:
    """Of an unanswered sale; due."""
    one = await opened(node.seat)
    assert await node.journal.close(unanswered(one))
    number = one.transaction.transaction_id
    due = await node.forwards.due(BANK, NOW_MS, 1000)
    return next(each for each in due if each.forward.transaction_id == number)


async def acknowledged(node: SeatedStore, message: StoredMessage) -> bool:
    """By the bank."""
    return await node.forwards.acknowledge(message, LATER_MS, "00")
