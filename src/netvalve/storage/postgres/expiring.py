"""Authorizations whose hold time is over, on PostgreSQL: found, and put off."""

from typing import Final

import asyncpg

from netvalve.domain.order import Order
from netvalve.storage import queries
from netvalve.storage.mapping import order_of
from netvalve.storage.postgres.pools import Readers, Writers
from netvalve.storage.postgres.query import Query

_EXPIRING: Final = Query.of(queries.EXPIRING)
_PUT_OFF: Final = """
UPDATE orders SET expires_at_ms = $1 WHERE order_id = $2 AND state = 'APPROVED'
"""


class PostgresExpiring:
    """The ends of holds. What happens at one is the payments' own affair."""

    def __init__(self, readers: Readers, writers: Writers) -> None:
        self._readers, self._writers = readers, writers

    async def due(self, bank_id: int, now_ms: int, limit: int) -> tuple[Order, ...]:
        """A bank's approved and past their time, nothing in flight, the longest overdue first."""
        values = _EXPIRING.bound({"bank_id": bank_id, "now_ms": now_ms, "limit": limit})
        return tuple(map(order_of, await self._readers.fetch(_EXPIRING.text, *values)))

    async def put_off(self, order_id: int, expires_at_ms: int) -> None:
        """Look at an authorization again at another time, if it then still is one."""

        async def put_off(connection: asyncpg.Connection) -> None:
            await connection.execute(_PUT_OFF, expires_at_ms, order_id)

        await self._writers.write(put_off)
