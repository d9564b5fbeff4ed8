"""The configuration as it is now: looked at often, read again only when its version has changed."""

import asyncio
import logging
import sqlite3
from functools import partial
from pathlib import Path
from typing import Final, Self

from netvalve.domain.directory import Directory
from netvalve.storage.directory_rows import QUERIES, directory_of
from netvalve.storage.sqlite.query import Query
from netvalve.storage.sqlite.readers import Readers

FRESH_S: Final = 5.0
"""A snapshot that nobody has looked after for longer may be wrong: ten looks have failed."""

_QUERIES: Final = tuple(map(Query.of, QUERIES))
_VERSION: Final = _QUERIES[0]
_log: Final = logging.getLogger(__name__)


class SqliteConfiguration:
    """The newest snapshot of the directory, looked after every `poll_s` seconds.

    It has a reader of its own, which no listing can keep busy.
    """

    def __init__(self, readers: Readers, directory: Directory, poll_s: float) -> None:
        self._readers = readers
        self._directory = directory
        self._poll_s = poll_s
        self._loop = asyncio.get_running_loop()
        self._looked_at_s = self._loop.time()
        self._following = self._loop.create_task(self._follow(), name="configuration")

    @classmethod
    async def start(cls, path: Path, *, poll_s: float) -> Self:
        """Read the first snapshot and follow the changes."""
        readers = Readers(path, 1)
        try:
            return cls(readers, await readers.read(_read), poll_s)
        except BaseException:
            await readers.stop()
            raise

    @property
    def directory(self) -> Directory:
        """The newest snapshot."""
        return self._directory

    @property
    def fresh(self) -> bool:
        """Whether changes are being noticed: the store was looked at in the last five seconds."""
        return self._loop.time() - self._looked_at_s < FRESH_S

    async def stop(self) -> None:
        """Follow no longer."""
        self._following.cancel()
        await asyncio.wait([self._following])
        await self._readers.stop()

    async def _follow(self) -> None:
        """Whatever a look fails by, the next one comes; a row of failures is logged once."""
        failing = False
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                self._directory = await self._readers.read(partial(_newest, self._directory))
            except Exception:  # noqa: BLE001  # the next look may succeed, whatever this one met
                if not failing:
                    _log.exception("the configuration cannot be read; the last snapshot stays")
                failing = True
            else:
                self._looked_at_s = self._loop.time()
                failing = False


def _newest(known: Directory, connection: sqlite3.Connection) -> Directory:
    """The snapshot that is known, unless the version has moved on."""
    (version,) = connection.execute(_VERSION.text, _VERSION.constants).fetchone()
    return known if version == known.version else _read(connection)


def _read(connection: sqlite3.Connection) -> Directory:
    return directory_of(
        [connection.execute(each.text, each.constants).fetchall() for each in _QUERIES]
    )
