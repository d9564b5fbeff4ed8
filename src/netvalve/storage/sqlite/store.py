"""The embedded store whole: takes the file, joins its parts, and gives the file back."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final, Protocol, Self

from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.storage.engine import sqlite_path
from netvalve.storage.identifiers import LeasedIdentifiers
from netvalve.storage.migrate import StoreNotReady, upgrade
from netvalve.storage.sqlite.configuration import SqliteConfiguration
from netvalve.storage.sqlite.exports import Exports
from netvalve.storage.sqlite.forwards import SqliteForwards
from netvalve.storage.sqlite.journal import SqliteJournal
from netvalve.storage.sqlite.lock import FileLock
from netvalve.storage.sqlite.owner import Owner
from netvalve.storage.sqlite.readers import Readers
from netvalve.storage.sqlite.records import SqliteRecords
from netvalve.storage.sqlite.writer import Writer
from netvalve.telemetry.metrics import Metrics

_LEASE: Final = "UPDATE identifiers SET next = next + ? WHERE name = ? RETURNING next - ?"
_REGISTER: Final = """
INSERT INTO nodes (epoch, node, started_at_ms, lease_until_ms) VALUES (?, ?, ?, ?)
"""


class WallClock(Protocol):
    """What the store asks of a clock."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""


class SqliteStore:
    """One gateway's store in one SQLite file."""

    def __init__(
        self,
        identifiers: LeasedIdentifiers,
        journal: SqliteJournal,
        records: SqliteRecords,
        configuration: SqliteConfiguration,
        forwards: SqliteForwards,
        *,
        parts: AsyncExitStack,
    ) -> None:
        self.identifiers = identifiers
        self.journal = journal
        self.records = records
        self.configuration = configuration
        self.forwards = forwards
        self._parts = parts

    @classmethod
    async def start(
        cls,
        database: str | Path,
        *,
        node: str,
        clock: WallClock,
        metrics: Metrics,
        batch_max: int = 512,
        waiting_max: int = 10_000,
        read_connections: int = 4,
        configuration_poll_s: float = 0.5,
        export_max_s: float = 3600,
    ) -> Self:
        """Take a database, by address or path, for this process alone; bring it up to date.

        Raises:
            StoreInUse: another gateway runs on it, and nothing of it was touched.
            StoreNotReady: it is of a newer release.
        """
        path = sqlite_path(str(database))
        async with AsyncExitStack() as parts:
            parts.enter_context(FileLock.of(path))
            await asyncio.to_thread(upgrade, str(database))
            writer = Writer(
                path, batch_max=batch_max, waiting_max=waiting_max, observe=metrics.journal_batch
            )
            parts.push_async_callback(writer.stop)
            owner = await _registered(writer, node, clock.now_ms())
            identifiers = await LeasedIdentifiers.start(partial(_leased, writer))
            parts.push_async_callback(identifiers.stop)
            readers = Readers(path, read_connections)
            parts.push_async_callback(readers.stop)
            exports = Exports(path, read_connections, export_max_s)
            records = SqliteRecords(path, writer, readers, exports)
            parts.callback(records.close)
            configuration = await SqliteConfiguration.start(path, poll_s=configuration_poll_s)
            parts.push_async_callback(configuration.stop)
            journal = SqliteJournal(writer, owner)
            forwards = SqliteForwards(path, writer, owner)
            parts.callback(forwards.close)
            return cls(
                identifiers, journal, records, configuration, forwards, parts=parts.pop_all()
            )

    async def stop(self) -> None:
        """Write what waits, close the file and let the next gateway in."""
        await self._parts.aclose()


async def _registered(writer: Writer, node: str, now_ms: int) -> Owner:
    """This start, under an epoch that no other start has had."""

    def register(connection: sqlite3.Connection) -> Owner:
        epoch = _lease(connection, "epoch", 1)
        connection.execute(_REGISTER, (epoch, node, now_ms, now_ms))
        return Owner(node, epoch)

    return await writer.write(register)


async def _leased(writer: Writer, name: str, size: int) -> int:
    """A block. One of unknown fate is lost, and nothing was begun with it."""
    try:
        return await writer.write(lambda connection: _lease(connection, name, size))
    except StoreUncertain as error:
        raise StoreUnavailable(f"a block of numbers was lost: {error}") from error


def _lease(connection: sqlite3.Connection, name: str, size: int) -> int:
    """The first of `size` numbers that nobody else will be given."""
    first: int = connection.execute(_LEASE, (size, name, size)).fetchone()[0]
    return first


__all__ = ["SqliteStore", "StoreNotReady", "WallClock"]
