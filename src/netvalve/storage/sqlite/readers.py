"""Readers: a few threads with a connection each, so that long reads never hold up the loop."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from netvalve.storage.sqlite.connection import open_reader

Result = TypeVar("Result")


class Readers:
    """Runs reads on `count` threads; each read sees one moment of the store."""

    def __init__(self, path: Path, count: int) -> None:
        self._path = path
        self._of_thread = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._threads = ThreadPoolExecutor(count, "netvalve-read", self._open)

    async def read(self, read: Callable[[sqlite3.Connection], Result]) -> Result:
        """The result of a read in one read transaction."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, read)

    async def stop(self) -> None:
        """Wait for the reads under way and close the connections."""
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
        for connection in self._connections:
            connection.close()

    def _open(self) -> None:
        self._of_thread.connection = connection = open_reader(self._path)
        self._connections.append(connection)

    def _run(self, read: Callable[[sqlite3.Connection], Result]) -> Result:
        connection: sqlite3.Connection = self._of_thread.connection
        connection.execute("BEGIN")
        try:
            return read(connection)
        finally:
            connection.execute("ROLLBACK")
