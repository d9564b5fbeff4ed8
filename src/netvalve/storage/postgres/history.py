"""The event rows that the workers' writes append."""

from typing import Final

import asyncpg

from netvalve.storage.history import Step

_NEXT: Final = """
INSERT INTO events
    (transaction_id, sequence, event, state, at_ms, node, mti,
     transmitted_at, stan, rrn, terminal_id, response_code_39, detail)
SELECT $1, COALESCE(max(sequence), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
FROM events WHERE transaction_id = $1
"""


async def append(
    connection: asyncpg.Connection, transaction_id: int, step: Step, node: str
) -> None:
    """The next event of a transaction, whose row the caller has locked."""
    await connection.execute(_NEXT, transaction_id, *step.columns(node))
