"""Authorizations whose hold time is over, on SQLite: found, and put off."""

import sqlite3
from functools import partial
from pathlib import Path
from typing import Final

from netvalve.domain.order import Order
from netvalve.storage import queries
from netvalve.storage.mapping import order_of
from netvalve.storage.sqlite.query import Query
from netvalve.storage.sqlite.reader import Reader
from netvalve.storage.sqlite.writer import Writer

_EXPIRING: Final = Query.of(queries.EXPIRING)
_PUT_OFF: Final = """
UPDATE orders SET expires_at_ms = ? WHERE order_id = ? AND state = 'APPROVED'
"""


class SqliteExpiring:
    """The ends of holds. What happens at one is the payments' own affair."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._reader = Reader(path)
        self._writer = writer

    def close(self) -> None:
        """Close the look-ups' connection."""
        self._reader.close()

    async def due(self, bank_id: int, now_ms: int, limit: int) -> tuple[Order, ...]:
        """A bank's approved and past their time, nothing in flight, the longest overdue first."""
        values = _EXPIRING.bound({"bank_id": bank_id, "now_ms": now_ms, "limit": limit})
        rows = self._reader.read(
            lambda connection: connection.execute(_EXPIRING.text, values).fetchall()
        )
        return tuple(map(order_of, rows))

    async def put_off(self, order_id: int, expires_at_ms: int) -> None:
        """Look at an authorization again at another time, if it then still is one."""
        await self._writer.write(partial(_put_off, order_id=order_id, expires_at_ms=expires_at_ms))


def _put_off(connection: sqlite3.Connection, *, order_id: int, expires_at_ms: int) -> None:
    connection.execute(_PUT_OFF, (expires_at_ms, order_id))
