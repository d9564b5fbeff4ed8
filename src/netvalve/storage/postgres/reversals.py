"""What becomes of a stored reversal: acknowledged, or asked for again by a late approval.

Each locks the order, the transaction and the message before it judges by what they have become.
"""

from dataclasses import dataclass
from typing import Final

import asyncpg

from netvalve.domain.journal import Forward, ForwardKind, StoredMessage
from netvalve.domain.lifecycle import Event, State
from netvalve.storage.guards import GUARDS
from netvalve.storage.history import acknowledged, approved_late
from netvalve.storage.owner import Owner
from netvalve.storage.postgres.history import append

_LOCK: Final = f"""
WITH locked_order AS MATERIALIZED (
    SELECT 1 FROM orders WHERE order_id = $1 FOR UPDATE
), locked_transaction AS MATERIALIZED (
    SELECT state FROM transactions
    WHERE transaction_id = $2 AND (SELECT count(*) FROM locked_order) >= 0
    FOR UPDATE
), locked_message AS MATERIALIZED (
    SELECT done_at_ms, owner_epoch, next_attempt_at_ms FROM forwards
    WHERE transaction_id = $2 AND kind = '{ForwardKind.REVERSAL}'
        AND (SELECT count(*) FROM locked_transaction) >= 0
    FOR UPDATE
)
SELECT state, done_at_ms, owner_epoch, next_attempt_at_ms
FROM locked_transaction CROSS JOIN locked_message
"""
"""One after the other: counting the rows of one makes the next wait until it is locked."""
_END: Final = f"""
UPDATE forwards SET done_at_ms = $1
WHERE transaction_id = $2 AND kind = '{ForwardKind.REVERSAL}'
"""
_REOPEN: Final = f"""
UPDATE forwards
SET owner_epoch = CASE WHEN done_at_ms IS NULL THEN owner_epoch ELSE $1 END, done_at_ms = NULL,
    next_attempt_at_ms = $2::bigint + (next_attempt_at_ms = $2)::int,
    resolution = NULL, resolution_reason = NULL
WHERE transaction_id = $3 AND kind = '{ForwardKind.REVERSAL}'
"""
"""The time of the next attempt always changes: what is under way ends it no more.

The bank has spoken after the operator: his word counts no more, and stays in the history.
"""
_MOVE_TRANSACTION: Final = "UPDATE transactions SET state = $1 WHERE transaction_id = $2"
_MOVE_ORDER: Final = """
UPDATE orders SET state = $1, updated_at_ms = $2
WHERE order_id = $3 AND opening_id = $4 AND state = ANY ($5::text[])
"""


@dataclass(frozen=True, slots=True)
class _Standing:
    """A reversal and its transaction, as they are while they are locked."""

    state: State
    done_at_ms: int | None
    owner_epoch: int
    next_attempt_at_ms: int

    def may(self, event: Event) -> bool:
        """Whether the lifecycle lets the event happen."""
        return self.state in GUARDS[event].sources

    def is_as_sent(self, forward: Forward, owner: Owner) -> bool:
        """Whether it still waits, is our own, and nothing has asked for another attempt.

        Another owner asks the bank himself; a late approval since then asks once more.
        """
        as_sent = (None, owner.epoch, forward.next_attempt_at_ms)
        return (self.done_at_ms, self.owner_epoch, self.next_attempt_at_ms) == as_sent


async def acknowledge(
    connection: asyncpg.Connection,
    *,
    message: StoredMessage,
    at_ms: int,
    response_code_39: str | None,
    owner: Owner,
) -> bool:
    """What it is about is undone; without a field 39 an operator has said so.

    False: it is not as it was when it was sent, or has ended before.
    """
    standing, event = await _locked(connection, message), Event.REVERSAL_ACKNOWLEDGED
    if standing is None or not standing.is_as_sent(message.forward, owner):
        return False
    if not standing.may(event):
        return False
    number = message.transaction.transaction_id
    await _move(connection, message, event, at_ms)
    await append(connection, number, acknowledged(message, at_ms, response_code_39), owner.node)
    await connection.execute(_END, at_ms, number)
    return True


async def reopen(
    connection: asyncpg.Connection,
    *,
    message: StoredMessage,
    at_ms: int,
    response_code_39: str,
    owner: Owner,
) -> bool:
    """Its transaction was approved late: the bank is told again, whoever had ended it."""
    standing, event = await _locked(connection, message), Event.LATE_APPROVAL
    if standing is None or not standing.may(event):
        return False
    number = message.transaction.transaction_id
    await _move(connection, message, event, at_ms)
    await append(connection, number, approved_late(message, at_ms, response_code_39), owner.node)
    await connection.execute(_REOPEN, owner.epoch, at_ms, number)
    return True


async def _locked(connection: asyncpg.Connection, message: StoredMessage) -> _Standing | None:
    transaction = message.transaction
    row = await connection.fetchrow(_LOCK, transaction.order_id, transaction.transaction_id)
    return None if row is None else _Standing(State(row["state"]), *row[1:])


async def _move(
    connection: asyncpg.Connection, message: StoredMessage, event: Event, at_ms: int
) -> None:
    """Move the transaction, and the order that it has opened, as the lifecycle says."""
    transaction, guard = message.transaction, GUARDS[event]
    number, order_id = transaction.transaction_id, transaction.order_id
    await connection.execute(_MOVE_TRANSACTION, guard.target, number)
    await connection.execute(_MOVE_ORDER, guard.target, at_ms, order_id, number, guard.sources)
