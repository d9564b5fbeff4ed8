"""The disk below a store: slow, full, failing before or after a commit took place.

SQLite itself is real; its connections fail where the weather says so. A machine's death closes
its connections, which undoes what they had not committed, and lets its file locks go.
"""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final, Protocol

from netvalve.simulation.machine import MACHINE

_WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE"})


class DiskFault(StrEnum):
    """What a statement meets."""

    FULL = "disk full"
    """Nothing happened, and SQLite knows."""
    BROKEN_BEFORE = "commit broken before it took place"
    BROKEN_AFTER = "commit broken after it took place"


_CODES: Final = {
    DiskFault.FULL: sqlite3.SQLITE_FULL,
    DiskFault.BROKEN_BEFORE: sqlite3.SQLITE_IOERR_FSYNC,
    DiskFault.BROKEN_AFTER: sqlite3.SQLITE_IOERR_FSYNC,
}


class DiskWeather(Protocol):
    """What decides about a disk."""

    def delays_s(self) -> tuple[float, float]:
        """How long work waits for the disk, and its result for being heard."""

    def fault_of_commit(self) -> DiskFault | None:
        """What a commit meets."""

    def fault_of_write(self) -> DiskFault | None:
        """What a statement that writes meets."""


class Disk:
    """One machine's disk, or one store's; the files on it outlive every power cut."""

    def __init__(self, weather: DiskWeather) -> None:
        self.weather = weather
        self._connections: list[DiskConnection] = []
        self._locks: list[Any] = []

    def delays_s(self) -> tuple[float, float]:
        """As the weather has it."""
        return self.weather.delays_s()

    def connected(self, connection: "DiskConnection") -> None:
        """A connection was opened."""
        self._connections.append(connection)

    def locked(self, descriptor: Any) -> None:
        """A file was locked."""
        self._locks.append(descriptor)

    def cut_power(self) -> None:
        """Whoever used the disk is gone: what was not committed is undone, locks are free."""
        for connection in self._connections:
            connection.close()
        for descriptor in self._locks:
            _let_go(descriptor)
        self._connections.clear()
        self._locks.clear()


class DiskConnection(sqlite3.Connection):
    """A connection whose statements meet the weather of its disk."""

    disk: Disk | None = None

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """One statement, or what the disk makes of it."""
        fault = self._fault(sql)
        if fault is DiskFault.BROKEN_AFTER:
            super().execute(sql, parameters)
        if fault is not None:
            raise _error(fault)
        return super().execute(sql, parameters)

    def _fault(self, sql: str) -> DiskFault | None:
        if self.disk is None:
            return None
        if sql == "COMMIT":
            return self.disk.weather.fault_of_commit()
        if sql.lstrip()[:6] in _WRITES:
            return self.disk.weather.fault_of_write()
        return None


@contextmanager
def simulated_disks() -> Iterator[None]:
    """Connections and locks belong to the disk of the machine that takes them; else to nobody."""
    connect, flock = sqlite3.connect, fcntl.flock

    def connected(*arguments: Any, **options: Any) -> sqlite3.Connection:
        machine = MACHINE.get()
        if machine is None or machine.disk is None:
            return connect(*arguments, **options)  # type: ignore[no-any-return]
        connection: DiskConnection = connect(*arguments, factory=DiskConnection, **options)
        connection.disk = machine.disk
        machine.disk.connected(connection)
        return connection

    def locked(descriptor: Any, operation: int) -> None:
        flock(descriptor, operation)
        machine = MACHINE.get()
        if machine is not None and machine.disk is not None and operation & fcntl.LOCK_EX:
            machine.disk.locked(descriptor)

    sqlite3.connect, fcntl.flock = connected, locked  # type: ignore[assignment]
    try:
        yield
    finally:
        sqlite3.connect, fcntl.flock = connect, flock


def _let_go(descriptor: Any) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except (OSError, ValueError):
        return  # it was closed in good order before


def _error(fault: DiskFault) -> sqlite3.Error:
    error = sqlite3.OperationalError(f"simulated: {fault}")
    error.sqlite_errorcode = _CODES[fault]
    error.sqlite_errorname = "SIMULATED"
    return error
