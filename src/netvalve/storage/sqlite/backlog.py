"""The backlog on SQLite, as of one moment."""

import sqlite3
from typing import Final

from netvalve.domain.backlog import Backlog, Waiting
from netvalve.storage import backlog_queries
from netvalve.storage.backlog_queries import WaitingQueries, waiting_of
from netvalve.storage.sqlite.query import Query

_REFUSED: Final = Query.of(backlog_queries.REFUSED)


class _Waiting:
    """The two queries about one kind, compiled."""

    def __init__(self, queries: WaitingQueries) -> None:
        self._by_age, self._oldest = Query.of(queries.by_age), Query.of(queries.oldest)

    def read(self, connection: sqlite3.Connection, now_ms: int) -> Waiting:
        by_age = self._by_age.bound({"now_ms": now_ms})
        counts = connection.execute(self._by_age.text, by_age).fetchone()
        oldest = self._oldest.bound({})
        return waiting_of(counts, connection.execute(self._oldest.text, oldest).fetchone())


_PENDING: Final = _Waiting(backlog_queries.PENDING)
_REVERSING: Final = _Waiting(backlog_queries.REVERSING)


def read_backlog(connection: sqlite3.Connection, *, now_ms: int) -> Backlog:
    """What waits; the caller has begun the transaction."""
    (refused,) = connection.execute(_REFUSED.text, _REFUSED.bound({})).fetchone()
    return Backlog(
        pending=_PENDING.read(connection, now_ms),
        reversing=_REVERSING.read(connection, now_ms),
        refused=refused,
    )
