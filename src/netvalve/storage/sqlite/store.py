"""The embedded store whole: takes the file, joins its parts, and gives the file back."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final, Self

from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.storage.configuration import FollowedConfiguration
from netvalve.storage.engine import sqlite_path
from netvalve.storage.identifiers import LeasedIdentifiers
from netvalve.storage.listings import LISTING_MAX_S
from netvalve.storage.migrate import StoreNotReady, upgrade
from netvalve.storage.owner import Owner
from netvalve.storage.sqlite.allowances import SqliteAllowances
from netvalve.storage.sqlite.configuration import follow_configuration
from netvalve.storage.sqlite.connection import open_writer
from netvalve.storage.sqlite.expiring import SqliteExpiring
from netvalve.storage.sqlite.exports import Exports
from netvalve.storage.sqlite.forwards import SqliteForwards
from netvalve.storage.sqlite.journal import SqliteJournal
from netvalve.storage.sqlite.keys import SqliteKeys
from netvalve.storage.sqlite.leases import SqliteLease, StoreClock, end_all, join, steady_time
from netvalve.storage.sqlite.lock import FileLock
from netvalve.storage.sqlite.orphans import SqliteOrphans
from netvalve.storage.sqlite.reader import Reader
from netvalve.storage.sqlite.readers import Readers
from netvalve.storage.sqlite.records import SqliteRecords
from netvalve.storage.sqlite.seat import Seat
from netvalve.storage.sqlite.writer import Connect, Writer
from netvalve.telemetry.metrics import Metrics

_LEASE: Final = """
UPDATE identifiers SET next = MAX(next, ?) + ? WHERE name = ? RETURNING next - ?
"""


class SqliteStore:
    """The store of one process, in one SQLite file: what its gateways share, and their seats."""

    def __init__(
        self,
        identifiers: LeasedIdentifiers,
        records: SqliteRecords,
        configuration: FollowedConfiguration,
        keys: SqliteKeys,
        expiring: SqliteExpiring,
        *,
        writer: Writer,
        reader: Reader,
        now_ms: Callable[[], int],
        parts: AsyncExitStack,
    ) -> None:
        self.identifiers = identifiers
        self.records = records
        self.configuration = configuration
        self.keys = keys
        self.expiring = expiring
        self.allowances = SqliteAllowances(now_ms)
        self._writer, self._reader, self._now_ms = writer, reader, now_ms
        self._parts = parts

    @classmethod
    async def start(
        cls,
        database: str | Path,
        *,
        clock: StoreClock,
        metrics: Metrics,
        batch_max: int = 512,
        waiting_max: int = 10_000,
        read_connections: int = 4,
        configuration_poll_s: float = 0.5,
        export_max_s: float = 3600,
        listing_max_s: float = LISTING_MAX_S,
        on_death: Callable[[], None] | None = None,
        connect: Connect = open_writer,
    ) -> Self:
        """Take a database, by address or path, for this process alone; bring it up to date.

        Whoever had it before is gone: every lease is ended. The writer reaches the file through
        `connect`; `on_death` hears that it writes no more, though the store was not stopped.

        Raises:
            StoreInUse: another gateway runs on it, and nothing of it was touched.
            StoreNotReady: it is of a newer release.
        """
        path = sqlite_path(str(database))
        async with AsyncExitStack() as parts:
            parts.enter_context(FileLock.of(path))
            await asyncio.to_thread(upgrade, str(database))
            now_ms = steady_time(clock)
            writer = Writer(
                path,
                batch_max=batch_max,
                waiting_max=waiting_max,
                observe=metrics.journal_batch,
                on_death=on_death,
                connect=connect,
            )
            parts.push_async_callback(writer.stop)
            await writer.write(partial(end_all, now_ms=now_ms()))
            identifiers = await LeasedIdentifiers.start(partial(_leased, writer), clock.now_ms)
            parts.push_async_callback(identifiers.stop)
            readers = Readers(path, read_connections)
            parts.push_async_callback(readers.stop)
            exports = Exports(path, read_connections, export_max_s)
            records = SqliteRecords(path, writer, readers, exports, listing_max_s)
            parts.callback(records.close)
            directory_reader = Readers(path, 1)
            parts.push_async_callback(directory_reader.stop)
            configuration = await follow_configuration(
                directory_reader, poll_s=configuration_poll_s
            )
            parts.push_async_callback(configuration.stop)
            reader = Reader(path)
            parts.callback(reader.close)
            expiring = SqliteExpiring(path, writer)
            parts.callback(expiring.close)
            return cls(
                identifiers,
                records,
                configuration,
                SqliteKeys(writer),
                expiring,
                writer=writer,
                reader=reader,
                now_ms=now_ms,
                parts=parts.pop_all(),
            )

    async def join(self, node: str, lease_s: float) -> Seat:
        """A seat for one gateway, under an epoch that no other has had; its lease runs.

        Raises:
            StoreUnavailable, StoreUncertain: there is none; a lease of its own may run out.
        """
        writer, now_ms = self._writer, self._now_ms
        owner = await writer.write(
            partial(_joined, node=node, now_ms=now_ms(), lease_ms=int(lease_s * 1000))
        )
        return Seat(
            SqliteJournal(writer, owner),
            SqliteForwards(self._reader, writer, owner),
            SqliteOrphans(self._reader, writer, owner, now_ms),
            SqliteLease(writer, owner, lease_s, now_ms),
        )

    async def stop(self) -> None:
        """Write what waits, close the file and let the next gateway in."""
        await self._parts.aclose()


def _joined(connection: sqlite3.Connection, *, node: str, now_ms: int, lease_ms: int) -> Owner:
    owner = Owner(node, epoch=_lease(connection, "epoch", 1))
    join(connection, owner, now_ms, now_ms + lease_ms)
    return owner


async def _leased(writer: Writer, name: str, size: int, floor: int) -> int:
    """A block. One of unknown fate is lost, and nothing was begun with it."""
    try:
        return await writer.write(lambda connection: _lease(connection, name, size, floor))
    except StoreUncertain as error:
        raise StoreUnavailable(f"a block of numbers was lost: {error}") from error


def _lease(connection: sqlite3.Connection, name: str, size: int, floor: int = 0) -> int:
    """The first of `size` numbers, none below `floor`, that nobody else will be given."""
    first: int = connection.execute(_LEASE, (floor, size, name, size)).fetchone()[0]
    return first


__all__ = ["SqliteStore", "StoreClock", "StoreNotReady"]
