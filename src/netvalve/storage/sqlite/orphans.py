"""Orphans on SQLite: what gateways without a running lease have left, made another's own.

Whether a lease runs is asked again inside each write: of two gateways that take over at once each
row goes to one, and a gateway that renews its lease in time loses nothing.
"""

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Final

from netvalve.domain.journal import Closing
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction
from netvalve.storage import forward_queries
from netvalve.storage.mapping import transaction_on_order_of
from netvalve.storage.owner import Owner
from netvalve.storage.sqlite.closing import write_closing
from netvalve.storage.sqlite.query import Query
from netvalve.storage.sqlite.reader import Reader
from netvalve.storage.sqlite.writer import Writer

_LEFT_BY: Final = Query.of(forward_queries.LEFT_BY)
_ORPHANS: Final = Query.of(forward_queries.ORPHANS)

_ADOPT_MESSAGES: Final = """
UPDATE forwards SET owner_epoch = ?
WHERE (transaction_id, kind) IN (
    SELECT transaction_id, kind FROM forwards
    WHERE owner_epoch = ? AND done_at_ms IS NULL LIMIT ?
) AND NOT EXISTS (
    SELECT 1 FROM nodes n WHERE n.epoch = forwards.owner_epoch AND n.lease_until_ms > ?
)
RETURNING transaction_id
"""
_ADOPT_ITS_TRANSACTION: Final = """
UPDATE transactions SET owner_epoch = ?, node = ? WHERE transaction_id = ? AND state = 'PENDING'
"""
_ADOPT: Final = """
UPDATE transactions SET owner_epoch = ?, node = ?
WHERE transaction_id = ? AND state = 'PENDING' AND owner_epoch <> ? AND NOT EXISTS (
    SELECT 1 FROM nodes n WHERE n.epoch = transactions.owner_epoch AND n.lease_until_ms > ?
)
"""


class SqliteOrphans:
    """What others have left, for the gateway of one seat."""

    def __init__(
        self, reader: Reader, writer: Writer, owner: Owner, now_ms: Callable[[], int]
    ) -> None:
        self._reader, self._writer, self._owner = reader, writer, owner
        self._now_ms = now_ms

    async def left_by(self) -> tuple[int, ...]:
        """The epochs without a running lease that have left something, the oldest first."""
        values = _LEFT_BY.bound({"epoch": self._owner.epoch, "now_ms": self._now_ms()})
        rows = self._reader.read(
            lambda connection: connection.execute(_LEFT_BY.text, values).fetchall()
        )
        return tuple(row[0] for row in rows)

    async def adopt(self, epoch: int, limit: int) -> int:
        """Make stored messages of an epoch our own, each with its transaction; how many."""
        return await self._writer.write(partial(self._adopted, epoch=epoch, limit=limit))

    async def pending(
        self, epoch: int, after_id: int, limit: int
    ) -> tuple[tuple[Transaction, Order], ...]:
        """What an epoch has left pending without a message stored, in the order of numbers."""
        values = _ORPHANS.bound({"epoch": epoch, "after_id": after_id, "limit": limit})
        rows = self._reader.read(
            lambda connection: connection.execute(_ORPHANS.text, values).fetchall()
        )
        return tuple(map(transaction_on_order_of, rows))

    async def close(self, closing: Closing) -> bool:
        """Adopt an orphan and close it, in one write. False: it is not an orphan any more."""
        return await self._writer.write(partial(self._adopted_and_closed, closing=closing))

    def _adopted(self, connection: sqlite3.Connection, *, epoch: int, limit: int) -> int:
        owner = self._owner
        values = (owner.epoch, epoch, limit, self._now_ms())
        numbers = connection.execute(_ADOPT_MESSAGES, values).fetchall()
        connection.executemany(
            _ADOPT_ITS_TRANSACTION, [(owner.epoch, owner.node, number) for (number,) in numbers]
        )
        return len(numbers)

    def _adopted_and_closed(self, connection: sqlite3.Connection, *, closing: Closing) -> bool:
        owner = self._owner
        values = (owner.epoch, owner.node, closing.transaction_id, owner.epoch, self._now_ms())
        if connection.execute(_ADOPT, values).rowcount == 0:
            return False
        return write_closing(connection, closing, owner)
