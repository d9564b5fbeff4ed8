"""The configuration as it is now: looked at often, read again only when its version has changed."""

import asyncio
import logging
import sqlite3
from pathlib import Path
from typing import Final, Self

from netvalve.domain.directory import Directory
from netvalve.storage.directory_rows import QUERIES, directory_of
from netvalve.storage.sqlite.connection import open_reader
from netvalve.storage.sqlite.query import Query
from netvalve.storage.sqlite.readers import Readers

_QUERIES: Final = tuple(map(Query.of, QUERIES))
_VERSION: Final = _QUERIES[0]
_log: Final = logging.getLogger(__name__)


class SqliteConfiguration:
    """The newest snapshot of the directory, at most `poll_s` seconds old."""

    def __init__(
        self, connection: sqlite3.Connection, readers: Readers, directory: Directory, poll_s: float
    ) -> None:
        self._connection = connection
        self._readers = readers
        self._directory = directory
        self._poll_s = poll_s
        self._following = asyncio.get_running_loop().create_task(
            self._follow(), name="configuration"
        )

    @classmethod
    async def start(cls, path: Path, readers: Readers, *, poll_s: float) -> Self:
        """Read the first snapshot and follow the changes."""
        return cls(open_reader(path), readers, await readers.read(_read), poll_s)

    @property
    def directory(self) -> Directory:
        """The newest snapshot."""
        return self._directory

    async def stop(self) -> None:
        """Follow no longer."""
        self._following.cancel()
        await asyncio.wait([self._following])
        self._connection.close()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                (version,) = self._connection.execute(_VERSION.text).fetchone()
                if version != self._directory.version:
                    self._directory = await self._readers.read(_read)
            except (sqlite3.Error, ValueError, TypeError):
                _log.exception("the configuration cannot be read; the last snapshot stays")


def _read(connection: sqlite3.Connection) -> Directory:
    return directory_of(
        [connection.execute(each.text, each.constants).fetchall() for each in _QUERIES]
    )
