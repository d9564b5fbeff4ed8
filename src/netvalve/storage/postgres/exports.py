"""Exports from PostgreSQL: everything that matches, through a cursor, from one snapshot."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final, TypeVar

from netvalve.domain.journal import StoreUnavailable
from netvalve.storage.mapping import Row
from netvalve.storage.postgres.connection import UNREACHABLE, connect

Record = TypeVar("Record")

BATCH_ROWS: Final = 1_000
TURN_S: Final = 5.0
"""How long an export waits for one of the others to end."""


class Exports:
    """Streams query results, at most `at_once` of them, each for at most `export_max_s`."""

    def __init__(self, database_url: str, at_once: int, export_max_s: float) -> None:
        self._database_url = database_url
        self._turns = asyncio.Semaphore(at_once)
        self._export_max_s = export_max_s

    async def stream(
        self, text: str, values: Sequence[object], record_of: Callable[[Row], Record]
    ) -> AsyncGenerator[tuple[Record, ...], None]:
        """Batches of records. A consumer that stops early gives everything back.

        Raises:
            StoreUnavailable: before the first batch, it had no turn; or the store cannot be read;
                or it has taken longer than it may, consumer included.
        """
        await self._turn()
        try:
            connection = await connect(self._database_url, "export")
            end = asyncio.get_running_loop().call_later(self._export_max_s, connection.terminate)
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    cursor = await connection.cursor(text, *values)
                    while rows := await cursor.fetch(BATCH_ROWS):
                        yield tuple(map(record_of, rows))
            finally:
                end.cancel()
                connection.terminate()
        except UNREACHABLE as error:
            raise StoreUnavailable(f"the export breaks off: {error!r}") from error
        finally:
            self._turns.release()

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(TURN_S):
                await self._turns.acquire()
        except TimeoutError:
            raise StoreUnavailable("as many exports are running as may") from None
