"""The backlog on PostgreSQL, as of one moment."""

from typing import Final

import asyncpg

from netvalve.domain.backlog import Backlog, Waiting
from netvalve.storage import backlog_queries
from netvalve.storage.backlog_queries import WaitingQueries, waiting_of
from netvalve.storage.postgres.query import Query

_REFUSED: Final = Query.of(backlog_queries.REFUSED)


class _Waiting:
    """The two queries about one kind, compiled."""

    def __init__(self, queries: WaitingQueries) -> None:
        self._by_age, self._oldest = Query.of(queries.by_age), Query.of(queries.oldest)

    async def read(self, connection: asyncpg.Connection, now_ms: int) -> Waiting:
        by_age = self._by_age.bound({"now_ms": now_ms})
        counts = await connection.fetchrow(self._by_age.text, *by_age)
        oldest = self._oldest.bound({})
        return waiting_of(counts, await connection.fetchrow(self._oldest.text, *oldest))


_PENDING: Final = _Waiting(backlog_queries.PENDING)
_REVERSING: Final = _Waiting(backlog_queries.REVERSING)


async def read_backlog(connection: asyncpg.Connection, *, now_ms: int) -> Backlog:
    """What waits; the caller has begun the transaction."""
    refused = await connection.fetchval(_REFUSED.text, *_REFUSED.bound({}))
    return Backlog(
        pending=await _PENDING.read(connection, now_ms),
        reversing=await _REVERSING.read(connection, now_ms),
        refused=refused,
    )
