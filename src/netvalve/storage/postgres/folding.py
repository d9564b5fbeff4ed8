"""Folds what has been counted since the last time into the tallies, once a second.

A listing adds up both, so nothing waits for it; it only keeps the changes few. The gateways of a
database take turns, whoever comes first.
"""

import asyncio
import logging
from typing import Final

import asyncpg

from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.storage.postgres.pools import Writers

EVERY_S: Final = 1.0
_MY_TURN: Final = "SELECT pg_try_advisory_xact_lock(hashtext('netvalve tallies'))"
_GROUP: Final = "mid_id, type, state, currency"
_FOLD: Final = f"""
WITH taken AS (
    DELETE FROM tally_changes RETURNING *
), sums AS (
    SELECT client_id, listing, span_h, hour / span_h AS span, {_GROUP}, sum(rows) AS rows
    FROM taken CROSS JOIN (VALUES (1), (24), (768)) spans (span_h)
    GROUP BY client_id, listing, span_h, hour / span_h, {_GROUP}
    HAVING sum(rows) <> 0
)
INSERT INTO tallies (client_id, listing, span_h, span, {_GROUP}, rows)
SELECT * FROM sums
ON CONFLICT (client_id, listing, span_h, span, {_GROUP})
DO UPDATE SET rows = tallies.rows + excluded.rows
"""
_log: Final = logging.getLogger(__name__)


async def keep_folding(workers: Writers, every_s: float = EVERY_S) -> None:
    """Until it is cancelled. What a lost connection leaves undone is done the next time."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await workers.write(fold)
        except (StoreUnavailable, StoreUncertain) as broken:
            _log.info("the tallies are not folded: %s", broken)


async def fold(connection: asyncpg.Connection) -> None:
    """Fold all changes that are there, unless another gateway is at it."""
    if await connection.fetchval(_MY_TURN):
        await connection.execute(_FOLD)
