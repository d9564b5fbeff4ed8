"""Requests counted by client on PostgreSQL: one row a client, for the present second alone."""

from functools import partial
from typing import Final

import asyncpg

from netvalve.domain.allowance import CountedSecond
from netvalve.storage.postgres.pools import Writers

_COUNT: Final = """
INSERT INTO allowances AS known (client_id, second, used)
VALUES ($1, floor(extract(epoch FROM clock_timestamp()))::bigint, $2)
ON CONFLICT (client_id) DO UPDATE SET (second, used) = (
    SELECT present.second,
           EXCLUDED.used + CASE WHEN known.second = present.second THEN known.used ELSE 0 END
    FROM (SELECT floor(extract(epoch FROM clock_timestamp()))::bigint AS second) AS present
)
RETURNING used, (second + 1 - extract(epoch FROM clock_timestamp()))::float8 AS left_s,
          set_config('synchronous_commit', 'off', true)
"""
"""The clock is read when the row is locked: whoever waited for it counts in the second that is
then, and none goes back. A second is soon over, so that its commit waits for no disk."""


class PostgresAllowances:
    """The present second of each client that has a limit, by the database's clock."""

    def __init__(self, writers: Writers) -> None:
        self._writers = writers

    async def count(self, client_id: int, more: int) -> CountedSecond:
        """Count more requests of a client in the present second.

        Raises:
            StoreUnavailable, StoreUncertain: they may count all the same.
        """
        return await self._writers.write(partial(_counted, client_id=client_id, more=more))


async def _counted(connection: asyncpg.Connection, *, client_id: int, more: int) -> CountedSecond:
    count, left_s, _ = await connection.fetchrow(_COUNT, client_id, more)
    return CountedSecond(count, left_s)
