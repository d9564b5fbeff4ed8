"""What becomes of a stored reversal: acknowledged, or asked for again by a late approval."""

import sqlite3
from typing import Final

from netvalve.domain.journal import Forward, ForwardKind, StoredMessage
from netvalve.domain.lifecycle import Event
from netvalve.storage.guards import GUARDS
from netvalve.storage.history import acknowledged, approved_late
from netvalve.storage.owner import Owner
from netvalve.storage.sqlite.history import append
from netvalve.storage.sqlite.statements import marks

_AS_IT_WAS: Final = """
SELECT 1 FROM forwards
WHERE transaction_id = ? AND kind = ? AND done_at_ms IS NULL
    AND owner_epoch = ? AND next_attempt_at_ms = ?
"""
"""Another owner asks the bank himself; a late approval since then asks for another attempt."""
_END: Final = "UPDATE forwards SET done_at_ms = ? WHERE transaction_id = ? AND kind = ?"
_REOPEN: Final = """
UPDATE forwards
SET owner_epoch = CASE WHEN done_at_ms IS NULL THEN owner_epoch ELSE ? END, done_at_ms = NULL,
    next_attempt_at_ms = ? + (next_attempt_at_ms = ?), resolution = NULL, resolution_reason = NULL
WHERE transaction_id = ? AND kind = ?
"""
"""The time of the next attempt always changes: what is under way ends it no more.

The bank has spoken after the operator: his word counts no more, and stays in the history.
"""
_MOVE_TRANSACTION: Final = "UPDATE transactions SET state = ? WHERE transaction_id = ? AND state IN"
_MOVE_ORDER: Final = """
UPDATE orders SET state = ?, updated_at_ms = ? WHERE order_id = ? AND opening_id = ? AND state IN
"""


def acknowledge(
    connection: sqlite3.Connection,
    *,
    message: StoredMessage,
    at_ms: int,
    response_code_39: str | None,
    owner: Owner,
) -> bool:
    """What it is about is undone; without a field 39 an operator has said so.

    False: it is not as it was when it was sent, or has ended before.
    """
    if not _is_as_it_was(connection, message.forward, owner):
        return False
    if not _moved(connection, message, Event.REVERSAL_ACKNOWLEDGED, at_ms):
        return False
    number = message.transaction.transaction_id
    append(connection, number, acknowledged(message, at_ms, response_code_39), owner.node)
    connection.execute(_END, (at_ms, number, ForwardKind.REVERSAL))
    return True


def reopen(
    connection: sqlite3.Connection,
    *,
    message: StoredMessage,
    at_ms: int,
    response_code_39: str,
    owner: Owner,
) -> bool:
    """Its transaction was approved late: the bank is told again, whoever had ended it."""
    if not _moved(connection, message, Event.LATE_APPROVAL, at_ms):
        return False
    number = message.transaction.transaction_id
    append(connection, number, approved_late(message, at_ms, response_code_39), owner.node)
    connection.execute(_REOPEN, (owner.epoch, at_ms, at_ms, number, ForwardKind.REVERSAL))
    return True


def _moved(
    connection: sqlite3.Connection, message: StoredMessage, event: Event, at_ms: int
) -> bool:
    """Move transaction and order as the lifecycle says; False where the event finds neither."""
    transaction, guard = message.transaction, GUARDS[event]
    number, states = transaction.transaction_id, f" ({marks(len(guard.sources))})"
    moved = connection.execute(_MOVE_TRANSACTION + states, (guard.target, number, *guard.sources))
    if moved.rowcount == 0:
        return False
    connection.execute(
        _MOVE_ORDER + states,
        (guard.target, at_ms, transaction.order_id, number, *guard.sources),
    )
    return True


def _is_as_it_was(connection: sqlite3.Connection, forward: Forward, owner: Owner) -> bool:
    """Whether a message is still our own, and nothing has asked for another attempt."""
    number, kind = forward.transaction_id, forward.kind
    stood = (number, kind, owner.epoch, forward.next_attempt_at_ms)
    return connection.execute(_AS_IT_WAS, stood).fetchone() is not None
