"""The event rows that every write appends."""

import sqlite3
from typing import Final

from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import Transaction
from netvalve.storage.history import Step
from netvalve.storage.schema import events
from netvalve.storage.sqlite.statements import insert

_FIRST: Final = insert(events)

_NEXT: Final = """
INSERT INTO events
    (transaction_id, sequence, event, state, at_ms, node, mti,
     transmitted_at, stan, rrn, terminal_id, response_code_39, detail)
SELECT ?, COALESCE(MAX(sequence), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
FROM events WHERE transaction_id = ?
"""


def append_opened(
    connection: sqlite3.Connection,
    transaction: Transaction,
    *,
    mti: str,
    node: str,
    detail: str | None = None,
) -> None:
    """The first event: what identifies the message at the bank, before it leaves.

    `detail` says why the gateway itself has opened it.
    """
    identity = transaction.identity
    connection.execute(
        _FIRST,
        (
            transaction.transaction_id,
            1,
            Event.OPENED,
            State.PENDING,
            transaction.opened_at_ms,
            node,
            mti or None,
            identity.transmitted_at,
            identity.stan,
            identity.rrn,
            identity.terminal_id,
            None,
            detail,
        ),
    )


def append(connection: sqlite3.Connection, transaction_id: int, step: Step, node: str) -> None:
    """The next event of a transaction."""
    connection.execute(_NEXT, (transaction_id, *step.columns(node), transaction_id))
