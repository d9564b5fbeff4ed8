"""Orphans on PostgreSQL: what gateways without a running lease have left, made another's own.

Whether a lease runs is asked again inside each write: of several gateways that take over at once
each row goes to one, and a gateway that renews its lease in time loses nothing.
"""

import asyncio
from functools import partial
from typing import Final

import asyncpg

from netvalve.domain.journal import Closing
from netvalve.domain.lifecycle import State
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction
from netvalve.storage import forward_queries
from netvalve.storage.mapping import transaction_on_order_of
from netvalve.storage.owner import Owner
from netvalve.storage.postgres.closing import closing_call, closing_result
from netvalve.storage.postgres.closing_text import Frame
from netvalve.storage.postgres.leases import NOW_MS, running
from netvalve.storage.postgres.pools import Readers, Writers
from netvalve.storage.postgres.query import Query

_NOW: Final = f"SELECT {NOW_MS}"
_LEFT_BY: Final = Query.of(forward_queries.LEFT_BY)
_ORPHANS: Final = Query.of(forward_queries.ORPHANS)

_ADOPT_MESSAGES: Final = f"""
WITH waiting AS MATERIALIZED (
    SELECT transaction_id, kind FROM forwards
    WHERE owner_epoch = $3 AND done_at_ms IS NULL AND NOT {running("$3")}
    LIMIT $4 FOR UPDATE SKIP LOCKED
), about AS MATERIALIZED (
    SELECT transaction_id FROM transactions
    WHERE transaction_id = ANY (ARRAY(SELECT transaction_id FROM waiting))
    FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE transactions SET owner_epoch = $1, node = $2
    WHERE transaction_id = ANY (ARRAY(SELECT transaction_id FROM about))
        AND state = '{State.PENDING}'
), adopted AS (
    UPDATE forwards f SET owner_epoch = $1
    FROM waiting JOIN about USING (transaction_id)
    WHERE f.transaction_id = waiting.transaction_id AND f.kind = waiting.kind
    RETURNING 1
)
SELECT count(*) FROM adopted
"""
"""What another has locked is left to him: who waits for nobody may lock in any order."""
_LOCK_ORDER: Final = "SELECT 1 FROM orders WHERE order_id = $1 FOR UPDATE"
_ADOPT: Final = f"""
UPDATE transactions t SET owner_epoch = $1, node = $2
WHERE transaction_id = $3 AND state = '{State.PENDING}' AND owner_epoch <> $1
    AND NOT {running("t.owner_epoch")}
RETURNING 1
"""
_CLOSE: Final = Frame(
    epoch="$1::bigint",
    node="$2::text",
    fence="SELECT 1",
    first=3,
    ending="SELECT verdict::text FROM judged",
)


class PostgresOrphans:
    """What others have left, for the gateway of one seat."""

    def __init__(self, readers: Readers, writers: Writers, owner: Owner) -> None:
        self._readers, self._writers, self._owner = readers, writers, owner
        self._turn = asyncio.Lock()

    async def left_by(self) -> tuple[int, ...]:
        """The epochs without a running lease that have left something, the oldest first."""
        ((now_ms,),) = await self._readers.fetch(_NOW)
        values = _LEFT_BY.bound({"epoch": self._owner.epoch, "now_ms": now_ms})
        return tuple(epoch for (epoch,) in await self._readers.fetch(_LEFT_BY.text, *values))

    async def adopt(self, epoch: int, limit: int) -> int:
        """Make stored messages of an epoch our own, each with its transaction; how many."""
        return await self._writers.write(partial(self._adopted, epoch=epoch, limit=limit))

    async def pending(
        self, epoch: int, after_id: int, limit: int
    ) -> tuple[tuple[Transaction, Order], ...]:
        """What an epoch has left pending without a message stored, in the order of numbers."""
        values = _ORPHANS.bound({"epoch": epoch, "after_id": after_id, "limit": limit})
        rows = await self._readers.fetch(_ORPHANS.text, *values)
        return tuple(map(transaction_on_order_of, rows))

    async def close(self, closing: Closing) -> bool:
        """Adopt an orphan and close it, in one write. False: it is not an orphan any more.

        One after the other: many of them at once leave connections to other workers.
        """
        async with self._turn:
            return await self._writers.write(partial(self._adopted_and_closed, closing=closing))

    async def _adopted(self, connection: asyncpg.Connection, *, epoch: int, limit: int) -> int:
        owner = self._owner
        values = (owner.epoch, owner.node, epoch, limit)
        adopted: int = await connection.fetchval(_ADOPT_MESSAGES, *values)
        return adopted

    async def _adopted_and_closed(
        self, connection: asyncpg.Connection, *, closing: Closing
    ) -> bool:
        owner = self._owner
        await connection.execute(_LOCK_ORDER, closing.order_id)
        values = (owner.epoch, owner.node, closing.transaction_id)
        if await connection.fetchval(_ADOPT, *values) is None:
            return False
        text, arguments = closing_call(_CLOSE, [closing], owner)
        verdict = await connection.fetchval(text, owner.epoch, owner.node, *arguments)
        closed = closing_result(closing, verdict)
        if isinstance(closed, Exception):
            raise closed
        return closed
