"""Exports: everything that matches, in batches, from one snapshot and in flat memory."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Generic, TypeVar

from netvalve.storage.mapping import Row
from netvalve.storage.sqlite.connection import open_reader

Record = TypeVar("Record")

BATCH_ROWS: Final = 1_000


class Exports:
    """Streams query results, at most `at_once` of them; one more waits for its turn."""

    def __init__(self, path: Path, at_once: int) -> None:
        self._path = path
        self._turns = asyncio.Semaphore(at_once)

    async def stream(
        self, text: str, values: Mapping[str, object], record_of: Callable[[Row], Record]
    ) -> AsyncGenerator[tuple[Record, ...], None]:
        """Batches of records. A consumer that stops early gives everything back."""
        async with self._turns:
            snapshot = _Snapshot(self._path, text, values, record_of)
            try:
                while batch := await snapshot.next():
                    yield batch
            finally:
                snapshot.give_back()


class _Snapshot(Generic[Record]):
    """One export's thread, connection and cursor."""

    def __init__(
        self,
        path: Path,
        text: str,
        values: Mapping[str, object],
        record_of: Callable[[Row], Record],
    ) -> None:
        self._path = path
        self._text = text
        self._values = values
        self._record_of = record_of
        self._thread = ThreadPoolExecutor(1, "netvalve-export")
        self._connection: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor | None = None

    async def next(self) -> tuple[Record, ...]:
        """The next batch; empty at the end."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._fetched)

    def give_back(self) -> None:
        """Break off what runs, then close; waits for neither."""
        if self._connection is not None:
            self._connection.interrupt()
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    def _fetched(self) -> tuple[Record, ...]:
        if self._cursor is None:
            self._connection = open_reader(self._path)
            self._connection.execute("BEGIN")
            self._cursor = self._connection.execute(self._text, self._values)
        return tuple(self._record_of(row) for row in self._cursor.fetchmany(BATCH_ROWS))

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
