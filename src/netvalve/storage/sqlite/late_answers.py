"""A bank's answer to what has ended already: kept in the history, where it is news."""

import sqlite3
from typing import Final

from netvalve.domain.journal import ResolvedAs, StoredMessage
from netvalve.domain.lifecycle import Event, State
from netvalve.storage.history import answered_late
from netvalve.storage.sqlite.history import append

_ENDED: Final = """
SELECT transactions.state, forwards.resolution
FROM forwards JOIN transactions USING (transaction_id)
WHERE forwards.transaction_id = ? AND forwards.kind = ? AND transactions.state <> 'PENDING'
"""
_SAID_BEFORE: Final = """
SELECT 1 FROM events
WHERE transaction_id = ? AND rrn = ? AND response_code_39 = ? AND state <> 'PENDING'
"""
"""By the answer that ended it, or by one that came late. What left it pending, an approval of
another amount, was no end."""


def keep(
    connection: sqlite3.Connection,
    *,
    message: StoredMessage,
    at_ms: int,
    response_code_39: str,
    contradicts: ResolvedAs | None,
    node: str,
) -> Event | None:
    """Append what the answer comes to; None, and nothing appended, while the end is open."""
    transaction, kind = message.transaction, message.forward.kind
    number, identity = transaction.transaction_id, transaction.identity
    ended = connection.execute(_ENDED, (number, kind)).fetchone()
    if ended is None:
        return None
    state, resolution = ended
    step = answered_late(
        message,
        State(state),
        at_ms,
        response_code_39,
        contradicts=resolution is not None and resolution == contradicts,
    )
    said = connection.execute(_SAID_BEFORE, (number, identity.rrn, response_code_39)).fetchone()
    if said is None:
        append(connection, number, step, node)
    return step.event
