"""A bank's answer to what has ended already: kept in the history, where it is news."""

from typing import Final

import asyncpg

from netvalve.domain.journal import ResolvedAs, StoredMessage
from netvalve.domain.lifecycle import Event, State
from netvalve.storage.history import answered_late
from netvalve.storage.postgres.history import append

_LOCK: Final = "SELECT state FROM transactions WHERE transaction_id = $1 FOR UPDATE"
"""Of two that bring the same answer at once, the second finds what the first has kept."""
_STORED: Final = "SELECT resolution FROM forwards WHERE transaction_id = $1 AND kind = $2"
_SAID_BEFORE: Final = """
SELECT EXISTS (
    SELECT 1 FROM events
    WHERE transaction_id = $1 AND rrn = $2 AND response_code_39 = $3 AND state <> 'PENDING'
)
"""
"""By the answer that ended it, or by one that came late. What left it pending, an approval of
another amount, was no end."""


async def keep(
    connection: asyncpg.Connection,
    *,
    message: StoredMessage,
    at_ms: int,
    response_code_39: str,
    contradicts: ResolvedAs | None,
    node: str,
) -> Event | None:
    """Append what the answer comes to; None, and nothing appended, while the end is open."""
    transaction = message.transaction
    number = transaction.transaction_id
    state = await connection.fetchval(_LOCK, number)
    stored = await connection.fetchrow(_STORED, number, message.forward.kind)
    if stored is None or state == State.PENDING:
        return None
    (resolution,) = stored
    step = answered_late(
        message,
        State(state),
        at_ms,
        response_code_39,
        contradicts=resolution is not None and resolution == contradicts,
    )
    about = (number, transaction.identity.rrn, response_code_39)
    if not await connection.fetchval(_SAID_BEFORE, *about):
        await append(connection, number, step, node)
    return step.event
