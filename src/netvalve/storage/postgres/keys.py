"""Idempotency keys on PostgreSQL, forgotten once they have ended."""

from functools import partial
from typing import Final

import asyncpg

from netvalve.storage.postgres.pools import Writers

_FORGET: Final = """
WITH ended AS MATERIALIZED (
    SELECT client_id, idempotency_key FROM idempotency_keys
    WHERE created_at_ms < $1 ORDER BY created_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED
), forgotten AS (
    DELETE FROM idempotency_keys k USING ended
    WHERE k.client_id = ended.client_id AND k.idempotency_key = ended.idempotency_key
    RETURNING 1
)
SELECT count(*) FROM forgotten
"""
"""A key that is being used again is left alone, and so is one that another node forgets."""


class PostgresKeys:
    """The keys at rest."""

    def __init__(self, writers: Writers) -> None:
        self._writers = writers

    async def forget(self, before_ms: int, limit: int) -> int:
        """Remove keys that were created before a time, the oldest first; how many there were."""
        return await self._writers.write(partial(_forget, before_ms=before_ms, limit=limit))


async def _forget(connection: asyncpg.Connection, *, before_ms: int, limit: int) -> int:
    forgotten: int = await connection.fetchval(_FORGET, before_ms, limit)
    return forgotten
