"""The one writer: runs batches of writes in one transaction each, in the fewest commits.

The statements run on the event loop, where they take microseconds; COMMIT, which waits for the
disk, runs on a thread of its own.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar, cast

from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.group_commit import GroupCommit, QueueFull, WriterDied, WriterStopped
from netvalve.storage.engine import BUSY_TIMEOUT_MS
from netvalve.storage.sqlite.connection import open_writer

Result = TypeVar("Result")
Connect = Callable[[Path], sqlite3.Connection]
Write = Callable[[sqlite3.Connection], object]
"""Executes the statements of one item, whole; raises when they make no sense."""

_FAULTS: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
"""What the disk, the file or another process does; anything else is the item's own doing."""

_BEFORE_COMMIT_FRAME: Final = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}
)
"""Ways a COMMIT fails before the frame that makes it one is in the log."""


class Writer:
    """Takes writes from many callers and makes them durable in groups."""

    def __init__(
        self,
        path: Path,
        *,
        batch_max: int,
        waiting_max: int,
        observe: Callable[[int, float], None] | None = None,
        on_death: Callable[[], None] | None = None,
        connect: Connect = open_writer,
    ) -> None:
        self._path = path
        self._connect = connect
        self._connection: sqlite3.Connection | None = connect(path)
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="netvalve-commit")
        self._group: GroupCommit[Write, object] = GroupCommit(
            self._write_batch,
            batch_max=batch_max,
            waiting_max=waiting_max,
            observe=observe,
            on_death=on_death,
        )
        self._group.start()

    async def write(self, write: Callable[[sqlite3.Connection], Result]) -> Result:
        """Execute one item with the next batch; returns when it is durable.

        Raises:
            StoreUnavailable: nothing was written.
            StoreUncertain: the commit's answer was lost.
        """
        try:
            return cast("Result", await self._group.submit(write))
        except WriterDied as error:
            raise StoreUncertain(str(error)) from error
        except (QueueFull, WriterStopped) as error:
            raise StoreUnavailable(str(error)) from error

    async def stop(self) -> None:
        """Write what waits and close the file."""
        await self._group.stop()
        self._committer.shutdown()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _write_batch(self, writes: Sequence[Write]) -> Sequence[object]:
        try:
            connection = await self._begun()
            results = self._executed(connection, writes)
        except sqlite3.Error as error:
            self._roll_back()
            raise StoreUnavailable(f"the store cannot write: {error}") from error
        await self._commit(connection)
        return results

    async def _begun(self) -> sqlite3.Connection:
        """A transaction that may write. Another process's write is waited for off the loop."""
        if self._connection is None:
            self._connection = self._connect(self._path)
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if _kind_of(error) != sqlite3.SQLITE_BUSY:
                raise
            await self._on_thread(_begin_patiently, connection)
        return connection

    def _executed(self, connection: sqlite3.Connection, writes: Sequence[Write]) -> list[object]:
        """The results of a batch. Only an item that fails by itself is left out of it."""
        try:
            return [write(connection) for write in writes]
        except Exception as error:  # whatever one item does, the others go through
            if _is_fault(error):
                raise
        self._roll_back()
        connection.execute("BEGIN IMMEDIATE")
        return [_alone(connection, write) for write in writes]

    async def _commit(self, connection: sqlite3.Connection) -> None:
        try:
            await self._on_thread(connection.execute, "COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            if {error.sqlite_errorcode, _kind_of(error)} & _BEFORE_COMMIT_FRAME:
                raise StoreUnavailable(f"the store cannot commit: {error}") from error
            raise StoreUncertain(f"the store broke while committing: {error}") from error

    def _roll_back(self) -> None:
        """Leave no transaction open; a connection that cannot is given up for a new one."""
        if self._connection is None:
            return
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection.close()
            self._connection = None

    async def _on_thread(self, call: Callable[..., object], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._committer, call, *arguments)


def _begin_patiently(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.execute("PRAGMA busy_timeout=0")


def _alone(connection: sqlite3.Connection, write: Write) -> object:
    """One item's result, or its own error with nothing of it written."""
    connection.execute("SAVEPOINT item")
    try:
        result = write(connection)
    except Exception as error:
        if _is_fault(error):
            raise
        connection.execute("ROLLBACK TO item")
        result = error
    connection.execute("RELEASE item")
    return result


def _is_fault(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error) and _kind_of(error) in _FAULTS


def _kind_of(error: sqlite3.Error) -> int:
    """The result code without its extension; 0 for an error of the driver's own."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
