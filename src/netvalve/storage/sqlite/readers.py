"""Readers: a few threads with a connection each, so that long reads never hold up the loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from netvalve.storage.sqlite.reader import Read, Reader

Result = TypeVar("Result")


class Readers:
    """Runs reads on `count` threads; each read sees one moment of the store."""

    def __init__(self, path: Path, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, "netvalve-read")
        self._all = tuple(Reader(path) for _ in range(count))
        self._idle = list(self._all)

    async def read(self, read: Read[Result]) -> Result:
        """The result of a read in one read transaction.

        Raises:
            StoreUnavailable: the store cannot be read now.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, read)

    async def stop(self) -> None:
        """Wait for the reads under way and close the connections."""
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
        for reader in self._all:
            reader.close()

    def _run(self, read: Read[Result]) -> Result:
        """Through an idle reader, of which there are as many as threads."""
        reader = self._idle.pop()
        try:
            return reader.read_one_moment(read)
        finally:
            self._idle.append(reader)
