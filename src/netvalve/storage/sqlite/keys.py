"""Idempotency keys on SQLite: taken with an opening, forgotten once they have ended."""

import sqlite3
from functools import partial
from typing import Final

from netvalve.domain.journal import Opening
from netvalve.storage.mapping import key_row
from netvalve.storage.schema import idempotency_keys
from netvalve.storage.sqlite.statements import insert_or_replace
from netvalve.storage.sqlite.writer import Writer

_LIVING: Final = """
SELECT 1 FROM idempotency_keys
WHERE client_id = ? AND idempotency_key = ? AND created_at_ms >= ?
"""
_USE: Final = insert_or_replace(idempotency_keys)
_FORGET: Final = """
DELETE FROM idempotency_keys WHERE (client_id, idempotency_key) IN (
    SELECT client_id, idempotency_key FROM idempotency_keys
    WHERE created_at_ms < ? ORDER BY created_at_ms LIMIT ?
)
"""


def key_is_used(connection: sqlite3.Connection, opening: Opening) -> bool:
    """Whether the opening's key has opened another transaction and has not ended."""
    keyed = opening.keyed
    if keyed is None:
        return False
    living = (keyed.client_id, keyed.key, opening.keys_since_ms)
    return connection.execute(_LIVING, living).fetchone() is not None


def use_key(connection: sqlite3.Connection, opening: Opening) -> None:
    """Keep the opening's key, in place of one that has ended."""
    if opening.keyed is not None:
        connection.execute(_USE, key_row(opening.keyed, opening.transaction.transaction_id))


class SqliteKeys:
    """The keys at rest."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def forget(self, before_ms: int, limit: int) -> int:
        """Remove keys that were created before a time, the oldest first; how many there were."""
        return await self._writer.write(partial(_forget, before_ms=before_ms, limit=limit))


def _forget(connection: sqlite3.Connection, *, before_ms: int, limit: int) -> int:
    return connection.execute(_FORGET, (before_ms, limit)).rowcount
