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
_AT_ONCE: Final = 20_000
"""Folded in about half a second, well within the time that a worker's statement may take."""
_GROUP: Final = "mid_id, type, state, currency"
_FOLD: Final = f"""
WITH taken AS (
    DELETE FROM tally_changes
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM tally_changes LIMIT {_AT_ONCE}))
    RETURNING *
), sums AS (
    SELECT client_id, listing, span_h, hour / span_h AS span, {_GROUP}, sum(rows) AS rows
    FROM taken CROSS JOIN (VALUES (1), (24), (768)) spans (span_h)
    GROUP BY client_id, listing, span_h, hour / span_h, {_GROUP}
    HAVING sum(rows) <> 0
)
, folded AS (
    INSERT INTO tallies (client_id, listing, span_h, span, {_GROUP}, rows)
    SELECT * FROM sums
    ON CONFLICT (client_id, listing, span_h, span, {_GROUP})
    DO UPDATE SET rows = tallies.rows + excluded.rows
)
SELECT count(*) FROM taken
"""
_log: Final = logging.getLogger(__name__)


async def keep_folding(workers: Writers, every_s: float = EVERY_S) -> None:
    """Until it is cancelled. What a lost connection leaves undone is done the next time."""
    more = False
    while True:
        await asyncio.sleep(0 if more else every_s)
        more = False
        try:
            more = await workers.write(fold)
        except (StoreUnavailable, StoreUncertain) as broken:
            _log.info("the tallies are not folded: %s", broken)
        except Exception:  # noqa: BLE001  # whatever it met, there is a next time
            _log.exception("the tallies are not folded")


async def fold(connection: asyncpg.Connection) -> bool:
    """Fold some of the changes, unless another gateway is at it; whether there may be more."""
    if not await connection.fetchval(_MY_TURN):
        return False
    return bool(await connection.fetchval(_FOLD) == _AT_ONCE)
