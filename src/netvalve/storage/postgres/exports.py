"""Exports from PostgreSQL: everything that matches, through a cursor, from one snapshot.

The rows come on the event loop, few at a time; what they are made into is made on a thread, while
the next ones are on their way.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Generic, TypeVar

import asyncpg

from netvalve.domain.journal import StoreUnavailable
from netvalve.storage.mapping import Row
from netvalve.storage.postgres.connection import UNREACHABLE, connect

Chunk = TypeVar("Chunk")
Form = Callable[[Sequence[Row]], Chunk]

BATCH_ROWS: Final = 128
"""Some 64 KiB of text; decoded on the loop in half a millisecond, which payments wait for."""
TURN_S: Final = 5.0
"""How long an export waits for one of the others to end."""

_PLANNED: Final = """
SELECT set_config('cursor_tuple_fraction', '0.01', true),
    set_config('plan_cache_mode', 'force_custom_plan', true)
"""
"""An export of millions of rows begins at once, along an index: sorted first, they would fill
gigabytes of the server's disk, and nothing would come for a minute."""
_OPEN: Final = "DECLARE export NO SCROLL CURSOR FOR "
_AT_LEISURE: Final = {"idle_in_transaction_session_timeout": "0"}
"""Whoever reads may take as long as an export may take."""


class Exports:
    """Streams query results, at most `at_once` of them, each for at most `export_max_s`."""

    def __init__(self, database_url: str, at_once: int, export_max_s: float) -> None:
        self._database_url = database_url
        self._turns = asyncio.Semaphore(at_once)
        self._export_max_s = export_max_s

    async def stream(
        self, text: str, values: Sequence[object], form: Form[Chunk]
    ) -> AsyncGenerator[Chunk, None]:
        """What `form` makes of each batch. A consumer that stops early gives everything back.

        Raises:
            StoreUnavailable: before the first batch, it had no turn; or the store cannot be read;
                or it has taken longer than it may, consumer included.
        """
        await self._turn()
        snapshot = _Snapshot(self._database_url, text, values, form, self._turns.release)
        end = asyncio.get_running_loop().call_later(self._export_max_s, snapshot.give_back)
        try:
            while (chunk := await snapshot.next()) is not None:
                yield chunk
        finally:
            end.cancel()
            snapshot.give_back()

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(TURN_S):
                await self._turns.acquire()
        except TimeoutError:
            raise StoreUnavailable("as many exports are running as may") from None


class _Snapshot(Generic[Chunk]):
    """One export's connection and thread; one chunk is made while another is sent."""

    def __init__(
        self,
        database_url: str,
        text: str,
        values: Sequence[object],
        form: Form[Chunk],
        given_back: Callable[[], None],
    ) -> None:
        self._database_url, self._text, self._values = database_url, text, values
        self._form = form
        self._given_back: Callable[[], None] | None = given_back
        self._thread = ThreadPoolExecutor(1, "netvalve-export")
        self._connection: asyncpg.Connection | None = None
        self._fetching: asyncio.Task[list[Row]] | None = None
        self._ahead: asyncio.Task[Chunk | None] | None = None

    async def next(self) -> Chunk | None:
        """The next chunk; None at the end.

        Raises:
            StoreUnavailable: the store cannot be read, or the snapshot was given back.
        """
        if self._given_back is None:
            raise StoreUnavailable("the export has taken longer than it may")
        making = self._ahead or asyncio.create_task(self._made())
        try:
            chunk = await making
        except (*UNREACHABLE, asyncio.CancelledError) as error:
            if self._given_back is not None and isinstance(error, asyncio.CancelledError):
                raise
            raise StoreUnavailable(f"the export breaks off: {error!r}") from error
        if chunk is not None and self._given_back is not None:
            self._ahead = asyncio.create_task(self._made())
        return chunk

    def give_back(self) -> None:
        """Break off what runs and close; waits for nothing. Once is enough."""
        if self._given_back is None:
            return
        for running in (self._ahead, self._fetching):
            if running is not None:
                running.cancel()
        self._ahead = self._fetching = None
        if self._connection is not None:
            self._connection.terminate()
        self._given_back()
        self._given_back = None
        self._thread.shutdown(wait=False)

    async def _made(self) -> Chunk | None:
        rows = await (self._fetching or self._fetch())
        if not rows or self._given_back is None:
            return None
        self._fetching = self._fetch()
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._form, rows)

    def _fetch(self) -> "asyncio.Task[list[Row]]":
        return asyncio.create_task(self._fetched())

    async def _fetched(self) -> list[Row]:
        """The next rows; none where a value is of a kind that no row has."""
        try:
            connection = self._connection or await self._open()
        except asyncpg.DataError:
            return []
        rows: list[Row] = await connection.fetch(f"FETCH {BATCH_ROWS} FROM export")
        return rows

    async def _open(self) -> asyncpg.Connection:
        connection = await connect(self._database_url, "export", **_AT_LEISURE)
        if self._given_back is None:
            connection.terminate()
            raise TimeoutError
        self._connection = connection
        await connection.transaction(isolation="repeatable_read", readonly=True).start()
        await connection.fetch(_PLANNED)
        await connection.fetch(_OPEN + self._text, *self._values)
        return connection
