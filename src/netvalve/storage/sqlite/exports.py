"""Exports: everything that matches, in batches, from one snapshot and in flat memory.

As long as a snapshot is held the log of writes cannot be emptied: each has its end in time.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, Generic, TypeVar

from netvalve.domain.journal import StoreUnavailable
from netvalve.storage.mapping import Row
from netvalve.storage.sqlite.connection import open_reader

Chunk = TypeVar("Chunk")
Form = Callable[[Sequence[Row]], Chunk]

BATCH_ROWS: Final = 128
"""Some 64 KiB of text, and a millisecond of the interpreter, which payments wait for."""
TURN_S: Final = 5.0
"""How long an export waits for one of the others to end."""


class Exports:
    """Streams query results, at most `at_once` of them, each for at most `export_max_s`."""

    def __init__(self, path: Path, at_once: int, export_max_s: float) -> None:
        self._path = path
        self._turns = asyncio.Semaphore(at_once)
        self._export_max_s = export_max_s

    async def stream(
        self, text: str, values: Mapping[str, object], form: Form[Chunk]
    ) -> AsyncGenerator[Chunk, None]:
        """What `form` makes of each batch. A consumer that stops early gives everything back.

        Raises:
            StoreUnavailable: before the first batch, it had no turn; or the store cannot be read;
                or it has taken longer than it may, consumer included.
        """
        await self._turn()
        snapshot = _Snapshot(self._path, text, values, form, given_back=self._turns.release)
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
    """One export's thread, connection and cursor; one chunk is made while another is sent."""

    def __init__(
        self,
        path: Path,
        text: str,
        values: Mapping[str, object],
        form: Form[Chunk],
        *,
        given_back: Callable[[], None],
    ) -> None:
        self._path = path
        self._text = text
        self._values = values
        self._form = form
        self._given_back: Callable[[], None] | None = given_back
        self._thread = ThreadPoolExecutor(1, "netvalve-export")
        self._connection: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor | None = None
        self._ahead: Future[Chunk | None] | None = None

    async def next(self) -> Chunk | None:
        """The next chunk; None at the end.

        Raises:
            StoreUnavailable: the store cannot be read, or the snapshot was given back.
        """
        if self._given_back is None:
            raise StoreUnavailable("the export has taken longer than it may")
        making = self._ahead or self._thread.submit(self._made)
        try:
            chunk = await asyncio.wrap_future(making)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the export breaks off: {error}") from error
        if chunk is not None and self._given_back is not None:
            self._ahead = self._thread.submit(self._made)
        return chunk

    def give_back(self) -> None:
        """Break off what runs, then close; waits for neither. Once is enough."""
        if self._given_back is None:
            return
        if self._connection is not None:
            self._connection.interrupt()
        self._ahead = None
        self._given_back()
        self._given_back = None
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    def _made(self) -> Chunk | None:
        if self._cursor is None:
            self._connection = open_reader(self._path)
            self._connection.execute("BEGIN")
            self._cursor = self._connection.execute(self._text, self._values)
        rows = self._cursor.fetchmany(BATCH_ROWS)
        return self._form(rows) if rows else None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
