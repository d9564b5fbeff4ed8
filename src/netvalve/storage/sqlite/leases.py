"""Leases on SQLite: which epochs have a running gateway behind them.

One process has the file to itself, so that its own time serves: the wall clock as it stood when
the file was opened, carried on by the monotonic clock. No step of the wall clock moves a lease.
"""

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from netvalve.storage.owner import KEPT_MS, Owner
from netvalve.storage.sqlite.writer import Writer

_JOIN: Final = "INSERT INTO nodes (epoch, node, started_at_ms, lease_until_ms) VALUES (?, ?, ?, ?)"
_RENEW: Final = "UPDATE nodes SET lease_until_ms = ? WHERE epoch = ?"
_END: Final = "UPDATE nodes SET lease_until_ms = MIN(lease_until_ms, ?) WHERE epoch = ?"
_END_ALL: Final = "UPDATE nodes SET lease_until_ms = ? WHERE lease_until_ms > ?"
_FORGET: Final = "DELETE FROM nodes WHERE lease_until_ms < ?"


class StoreClock(Protocol):
    """What the store asks of a clock."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""

    def monotonic_s(self) -> float:
        """Seconds that never go back."""


def steady_time(clock: StoreClock) -> Callable[[], int]:
    """Milliseconds that begin with the wall clock's and then never step."""
    first_ms, first_s = clock.now_ms(), clock.monotonic_s()
    return lambda: first_ms + int((clock.monotonic_s() - first_s) * 1000)


def end_all(connection: sqlite3.Connection, now_ms: int) -> None:
    """End every lease: who has the file's lock knows that nobody else runs."""
    connection.execute(_END_ALL, (now_ms, now_ms))


def join(connection: sqlite3.Connection, owner: Owner, now_ms: int, until_ms: int) -> None:
    """The row of a gateway that begins; those of long dead ones go."""
    connection.execute(_FORGET, (now_ms - KEPT_MS,))
    connection.execute(_JOIN, (owner.epoch, owner.node, now_ms, until_ms))


class SqliteLease:
    """One gateway's lease, as the store sees it."""

    def __init__(
        self, writer: Writer, owner: Owner, lease_s: float, now_ms: Callable[[], int]
    ) -> None:
        self._writer, self._owner = writer, owner
        self._lease_ms = int(lease_s * 1000)
        self._now_ms = now_ms

    async def renew(self) -> None:
        """Let it run for its whole length from now, be it still running or not.

        Raises:
            StoreUnavailable: it was not renewed.
            StoreUncertain: the commit's answer was lost.
        """
        await self._writer.write(self._renewed)

    async def end(self) -> None:
        """End it now.

        Raises:
            StoreUnavailable, StoreUncertain: it may run out by itself.
        """
        await self._writer.write(partial(_ended, epoch=self._owner.epoch, now_ms=self._now_ms()))

    def _renewed(self, connection: sqlite3.Connection) -> None:
        connection.execute(_RENEW, (self._now_ms() + self._lease_ms, self._owner.epoch))


def _ended(connection: sqlite3.Connection, *, epoch: int, now_ms: int) -> None:
    connection.execute(_END, (now_ms, epoch))
