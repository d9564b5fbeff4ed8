"""Bounded pools of connections: reads, and the rare writes that are not the journal's.

Whoever finds no connection in time is refused; nobody waits without end. A pool connects when it
is first used and again after every loss, so that a server that comes back is simply there.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

import asyncpg

from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.storage.postgres.connection import UNREACHABLE, Fate, fate_of, pool_of

Result = TypeVar("Result")

TURN_S: Final = 5.0
"""How long one waits for a connection."""
_TRIES: Final = 5
_ABANDONED: Final = {"idle_in_transaction_session_timeout": "2s"}
"""For transactions that hold rows: one whose gateway is gone, or stands still, lets go of them."""


class Readers:
    """Runs reads; each sees what is committed when it begins."""

    def __init__(
        self, database_url: str, size: int, purpose: str, answer_s: float, **settings: str
    ) -> None:
        self._pool = pool_of(database_url, size, purpose, answer_s, **settings)

    async def fetch(self, text: str, *values: object) -> list[Any]:
        """The rows of one statement.

        Raises:
            StoreUnavailable: the store cannot be read now.
        """
        async with self.connection() as connection:
            rows: list[Any] = await connection.fetch(text, *values)
        return rows

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection to read through.

        Raises:
            StoreUnavailable: the store cannot be read now.
        """
        try:
            async with _acquired(self._pool) as connection:
                yield connection
        except UNREACHABLE as error:
            if fate_of(error) is Fate.OWN_FAULT:
                raise
            raise StoreUnavailable(f"the store cannot be read: {error!r}") from error

    @asynccontextmanager
    async def one_moment(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection whose statements all see the moment of the first.

        Raises:
            StoreUnavailable: the store cannot be read now.
        """
        async with self.connection() as connection:
            moment = connection.transaction(isolation="repeatable_read", readonly=True)
            await moment.start()
            try:
                yield connection
            except Exception:
                await _rolled_back(moment, connection)
                raise
            await moment.commit()

    async def start(self) -> None:
        """Make the pool usable; it connects to nothing yet."""
        await self._pool

    async def stop(self) -> None:
        """Close what is open, without waiting for a server that does not answer."""
        self._pool.terminate()


class Writers:
    """Runs the short transactions of the workers and of administration inside the gateway.

    Each locks what it will change before it changes anything, in the order orders, transactions,
    forwards, and within each by number: so no two of them, and no journal batch, wait in a circle.
    """

    def __init__(
        self, database_url: str, size: int, purpose: str, answer_s: float, **settings: str
    ) -> None:
        self._pool = pool_of(database_url, size, purpose, answer_s, **{**_ABANDONED, **settings})

    async def write(self, work: Callable[[asyncpg.Connection], Awaitable[Result]]) -> Result:
        """Do the work in one transaction, once more where somebody else wrote first.

        Raises:
            StoreUnavailable: nothing was written.
            StoreUncertain: the commit's answer was lost.
        """
        failure: Exception | None = None
        for _ in range(_TRIES):
            try:
                return await self._tried(work)
            except (StoreUnavailable, StoreUncertain):
                raise
            except Exception as error:
                if fate_of(error) is not Fate.MOVED_ON:
                    raise
                failure = error
        raise StoreUnavailable("others wrote first, again and again") from failure

    async def start(self) -> None:
        """Make the pool usable; it connects to nothing yet."""
        await self._pool

    async def stop(self) -> None:
        """Close what is open, without waiting for a server that does not answer."""
        self._pool.terminate()

    async def _tried(self, work: Callable[[asyncpg.Connection], Awaitable[Result]]) -> Result:
        committing = False
        try:
            async with _acquired(self._pool) as connection:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    result = await work(connection)
                except Exception:
                    await _rolled_back(transaction, connection)
                    raise
                committing = True
                await transaction.commit()
                return result
        except UNREACHABLE as error:
            fate = fate_of(error)
            if fate in (Fate.MOVED_ON, Fate.OWN_FAULT):
                raise
            if committing and fate is Fate.LOST:
                raise StoreUncertain(f"the commit's answer was lost: {error!r}") from error
            raise StoreUnavailable(f"the store cannot write: {error!r}") from error


@asynccontextmanager
async def _acquired(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the pool's, or StoreUnavailable: whatever keeps it from connecting.

    One that leads to no server, or to one that has become a standby, is given up at once: nobody
    else is to find it in the pool, nor to wait until it is given back in good order.
    """
    try:
        connection = await pool.acquire(timeout=TURN_S)
    except UNREACHABLE as error:
        raise StoreUnavailable(f"the store cannot be reached: {error!r}") from error
    try:
        yield connection
    except UNREACHABLE as error:
        if fate_of(error) is Fate.LOST or isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            _give_up(connection)
        raise
    except (asyncio.CancelledError, GeneratorExit):
        _give_up(connection)  # in good order it might fail, and with that hide the cancellation
        raise
    finally:
        await pool.release(connection)


async def _rolled_back(transaction: Any, connection: asyncpg.Connection) -> None:
    """Roll back what is still open; what a lost connection has begun its server rolls back."""
    if not connection.is_closed():
        await transaction.rollback()


def _give_up(connection: asyncpg.Connection) -> None:
    with suppress(asyncpg.InterfaceError):  # the pool itself may be at its end
        connection.terminate()
