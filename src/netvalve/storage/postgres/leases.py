"""Leases on PostgreSQL: which epochs have a running gateway behind them.

Their time is the database's own, whatever the clocks of the gateways say.
"""

from functools import partial
from typing import Final

import asyncpg

from netvalve.domain.journal import StoreUnavailable
from netvalve.storage.owner import KEPT_MS, Owner
from netvalve.storage.postgres.closing import Closings
from netvalve.storage.postgres.opening import Openings
from netvalve.storage.postgres.pools import Writers

NOW_MS: Final = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_BEGAN_MS: Final = "(extract(epoch FROM transaction_timestamp()) * 1000)::bigint"

_NEXT_EPOCH: Final = """
UPDATE identifiers SET next = next + 1 WHERE name = 'epoch' RETURNING next - 1
"""
"""Whoever joins locks this row first, so that they come one after the other."""
_FORGET: Final = f"""
WITH dead AS (
    DELETE FROM nodes WHERE lease_until_ms < {NOW_MS} - $1 RETURNING epoch
)
DELETE FROM batches USING dead WHERE batches.epoch = dead.epoch
"""
_JOIN: Final = f"""
INSERT INTO nodes (epoch, node, started_at_ms, lease_until_ms)
SELECT $1, $2, now_ms, now_ms + $3 FROM (SELECT {NOW_MS} AS now_ms) clock
"""
_BEGIN_JOURNAL: Final = f"""
INSERT INTO batches (epoch, writer, session, batch, verdicts)
VALUES ($1, '{Openings.writer}', 0, 0, ''), ($1, '{Closings.writer}', 0, 0, '')
"""
_RENEW: Final = f"""
UPDATE nodes SET lease_until_ms = {NOW_MS} + $1 WHERE epoch = $2 RETURNING epoch
"""
_END: Final = f"""
UPDATE nodes SET lease_until_ms = LEAST(lease_until_ms, {NOW_MS}) WHERE epoch = $1
"""


def running(epoch: str) -> str:
    """A condition: the lease of an epoch has not run out.

    It is judged by the time at which the transaction began, which is before the moment that its
    statements see: a renewal in time was committed by then, and is seen, however long they waited.
    """
    return f"""EXISTS (
        SELECT 1 FROM nodes n WHERE n.epoch = {epoch} AND n.lease_until_ms > {_BEGAN_MS}
    )"""


async def join(connection: asyncpg.Connection, node: str, lease_ms: int) -> Owner:
    """A place for a gateway that begins; those of long dead ones go."""
    owner = Owner(node, await connection.fetchval(_NEXT_EPOCH))
    await connection.execute(_FORGET, KEPT_MS)
    await connection.execute(_JOIN, owner.epoch, node, lease_ms)
    await connection.execute(_BEGIN_JOURNAL, owner.epoch)
    return owner


class PostgresLease:
    """One gateway's lease, as the store sees it."""

    def __init__(self, writers: Writers, owner: Owner, lease_s: float) -> None:
        """`writers` serve leases alone: no other work keeps a renewal waiting."""
        self._writers, self._owner = writers, owner
        self._lease_ms = int(lease_s * 1000)

    async def renew(self) -> None:
        """Let it run for its whole length from now, be it still running or not.

        Raises:
            StoreUnavailable: it was not renewed, or is forgotten.
            StoreUncertain: the commit's answer was lost.
        """
        await self._writers.write(self._renewed)

    async def end(self) -> None:
        """End it now.

        Raises:
            StoreUnavailable, StoreUncertain: it may run out by itself.
        """
        await self._writers.write(partial(_ended, epoch=self._owner.epoch))

    async def _renewed(self, connection: asyncpg.Connection) -> None:
        if await connection.fetchval(_RENEW, self._lease_ms, self._owner.epoch) is None:
            raise StoreUnavailable("this gateway's place at the store is gone")


async def _ended(connection: asyncpg.Connection, *, epoch: int) -> None:
    await connection.execute(_END, epoch)
