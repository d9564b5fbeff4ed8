"""The embedded store whole: takes the file, joins its parts, and gives the file back."""

import sqlite3
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final, Protocol, Self

from netvalve.storage.engine import sqlite_path
from netvalve.storage.identifiers import LeasedIdentifiers
from netvalve.storage.sqlite.configuration import SqliteConfiguration
from netvalve.storage.sqlite.exports import Exports
from netvalve.storage.sqlite.journal import SqliteJournal
from netvalve.storage.sqlite.lock import FileLock
from netvalve.storage.sqlite.owner import Owner
from netvalve.storage.sqlite.readers import Readers
from netvalve.storage.sqlite.records import SqliteRecords
from netvalve.storage.sqlite.writer import Writer
from netvalve.telemetry.metrics import Metrics

_LEASE: Final = "UPDATE identifiers SET next = next + ? WHERE name = ? RETURNING next - ?"
_REGISTER: Final = """
INSERT INTO nodes (node, epoch, started_at_ms) VALUES (?, ?, ?)
ON CONFLICT (node) DO UPDATE SET epoch = excluded.epoch, started_at_ms = excluded.started_at_ms
"""


class WallClock(Protocol):
    """What the store asks of a clock."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""


class StoreNotReady(Exception):  # noqa: N818  # named after the state, not after the class
    """The database is missing or has another schema than this release's."""


class SqliteStore:
    """One gateway's store in one SQLite file."""

    def __init__(
        self,
        identifiers: LeasedIdentifiers,
        journal: SqliteJournal,
        records: SqliteRecords,
        configuration: SqliteConfiguration,
        *,
        parts: AsyncExitStack,
    ) -> None:
        self.identifiers = identifiers
        self.journal = journal
        self.records = records
        self.configuration = configuration
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
    ) -> Self:
        """Take a migrated database, by address or path, for this process alone.

        Raises:
            StoreInUse: another gateway runs on it.
            StoreNotReady: it has not been migrated.
        """
        path = sqlite_path(str(database))
        if not path.exists():
            raise StoreNotReady(f"there is no database {path}: migrate it first")
        async with AsyncExitStack() as parts:
            lock = FileLock.of(path)
            parts.callback(lock.release)
            writer = Writer(
                path, batch_max=batch_max, waiting_max=waiting_max, observe=metrics.journal_batch
            )
            parts.push_async_callback(writer.stop)
            owner = await _registered(writer, node, clock.now_ms())
            identifiers = await LeasedIdentifiers.start(partial(_leased, writer))
            parts.push_async_callback(identifiers.stop)
            readers = Readers(path, read_connections)
            parts.push_async_callback(readers.stop)
            records = SqliteRecords(path, writer, readers, Exports(path, read_connections))
            parts.callback(records.close)
            configuration = await SqliteConfiguration.start(
                path, readers, poll_s=configuration_poll_s
            )
            parts.push_async_callback(configuration.stop)
            journal = SqliteJournal(writer, owner)
            return cls(identifiers, journal, records, configuration, parts=parts.pop_all())

    async def stop(self) -> None:
        """Write what waits, close the file and let the next gateway in."""
        await self._parts.aclose()


async def _registered(writer: Writer, node: str, now_ms: int) -> Owner:
    """This start, under an epoch that no other start has had."""

    def register(connection: sqlite3.Connection) -> Owner:
        epoch = _lease(connection, "epoch", 1)
        connection.execute(_REGISTER, (node, epoch, now_ms))
        return Owner(node, epoch)

    try:
        return await writer.write(register)
    except sqlite3.OperationalError as error:
        raise StoreNotReady(f"the database has another schema, migrate it: {error}") from error


async def _leased(writer: Writer, name: str, size: int) -> int:
    return await writer.write(lambda connection: _lease(connection, name, size))


def _lease(connection: sqlite3.Connection, name: str, size: int) -> int:
    """The first of `size` numbers that nobody else will be given."""
    first: int = connection.execute(_LEASE, (size, name, size)).fetchone()[0]
    return first
