"""Stored messages on SQLite: found when due, put off, ended."""

import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import Final

from netvalve.domain.journal import PAUSE_MAX_MS, Forward, ForwardKind, StoredMessage
from netvalve.domain.lifecycle import Event
from netvalve.storage import forward_queries
from netvalve.storage.guards import GUARDS
from netvalve.storage.mapping import stored_message_of
from netvalve.storage.sqlite.history import append, by_hand
from netvalve.storage.sqlite.owner import Owner
from netvalve.storage.sqlite.query import Query
from netvalve.storage.sqlite.reader import Reader
from netvalve.storage.sqlite.statements import marks
from netvalve.storage.sqlite.writer import Writer

_MTI_OF: Final = {Event.REVERSAL_ACKNOWLEDGED: "0430", Event.LATE_APPROVAL: None}
"""A late approval may have come as 0110 or 0210; its transaction's first event tells which."""

_DUE: Final = Query.of(forward_queries.DUE)
_ASTRAY: Final = Query.of(forward_queries.ASTRAY)
_RESOLVED: Final = Query.of(forward_queries.RESOLVED)
_OF_ORIGINAL: Final = Query.of(forward_queries.OF_ORIGINAL)

_POSTPONE: Final = """
UPDATE forwards
SET attempts = attempts + ?, next_attempt_at_ms = ?, refused_39 = COALESCE(?, refused_39)
WHERE transaction_id = ? AND kind = ? AND done_at_ms IS NULL AND owner_epoch = ?
"""
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


class SqliteForwards:
    """Messages that wait for their bank: one gateway's own, as far as they are to be sent."""

    def __init__(self, reader: Reader, writer: Writer, owner: Owner) -> None:
        self._reader = reader
        self._writer = writer
        self._owner = owner

    async def due(self, bank_id: int, now_ms: int, limit: int) -> tuple[StoredMessage, ...]:
        """What is to be sent to a bank now, the longest waiting first.

        So is what would wait longer than the longest pause: the clock has been put back since.
        """
        owned = {"epoch": self._owner.epoch, "bank_id": bank_id, "limit": limit}
        due = self._messages(_DUE, {**owned, "now_ms": now_ms})
        return due + self._messages(_ASTRAY, {**owned, "latest_ms": now_ms + PAUSE_MAX_MS})

    async def of_original(self, rrn: str) -> tuple[StoredMessage, ...]:
        """What is stored about the message with this RRN, whether or not it has ended."""
        return self._messages(_OF_ORIGINAL, {"rrn": rrn})

    async def resolved(self, limit: int) -> tuple[StoredMessage, ...]:
        """Our own messages that an operator has ended by hand."""
        return self._messages(_RESOLVED, {"epoch": self._owner.epoch, "limit": limit})

    async def postpone(
        self,
        forward: Forward,
        next_attempt_at_ms: int,
        *,
        counted: bool,
        refused_39: str | None = None,
    ) -> None:
        """Name the time of the next attempt; `counted` where one has been made.

        `refused_39` is what the bank answered where it will not do it; the last one is kept.
        """
        number, kind = forward.transaction_id, forward.kind
        values = (int(counted), next_attempt_at_ms, refused_39, number, kind, self._owner.epoch)
        await self._writer.write(partial(_executed, text=_POSTPONE, values=values))

    async def acknowledge(
        self, message: StoredMessage, at_ms: int, response_code_39: str | None
    ) -> bool:
        """What a reversal is about has been undone. False: it was ended before.

        By the bank, whose answer is given; by hand, where the message has a resolution, without.
        """
        return await self._writer.write(
            partial(
                self._reversal_moved,
                message=message,
                event=Event.REVERSAL_ACKNOWLEDGED,
                at_ms=at_ms,
                response_code_39=response_code_39,
            )
        )

    async def reopen(self, message: StoredMessage, at_ms: int, response_code_39: str) -> bool:
        """The bank has approved late what is being, or has been, reversed: tell it again."""
        return await self._writer.write(
            partial(
                self._reversal_moved,
                message=message,
                event=Event.LATE_APPROVAL,
                at_ms=at_ms,
                response_code_39=response_code_39,
            )
        )

    def _messages(self, query: Query, values: Mapping[str, object]) -> tuple[StoredMessage, ...]:
        rows = self._reader.read(
            lambda connection: connection.execute(query.text, query.bound(values)).fetchall()
        )
        return tuple(map(stored_message_of, rows))

    def _reversal_moved(
        self,
        connection: sqlite3.Connection,
        *,
        message: StoredMessage,
        event: Event,
        at_ms: int,
        response_code_39: str | None,
    ) -> bool:
        transaction, guard = message.transaction, GUARDS[event]
        states = f" ({marks(len(guard.sources))})"
        number = transaction.transaction_id
        acknowledged = event is Event.REVERSAL_ACKNOWLEDGED
        if acknowledged and not self._is_as_it_was(connection, message.forward):
            return False
        moved = connection.execute(
            _MOVE_TRANSACTION + states, (guard.target, number, *guard.sources)
        )
        if moved.rowcount == 0:
            return False
        connection.execute(
            _MOVE_ORDER + states,
            (guard.target, at_ms, transaction.order_id, number, *guard.sources),
        )
        if response_code_39 is None:
            self._append_by_hand(connection, message, event, at_ms)
        else:
            append(
                connection,
                number,
                event,
                guard.target,
                at_ms=at_ms,
                node=self._owner.node,
                mti=_MTI_OF[event],
                identity=message.forward.identity if acknowledged else transaction.identity,
                response_code_39=response_code_39,
            )
        key = (number, ForwardKind.REVERSAL)
        if acknowledged:
            connection.execute(_END, (at_ms, *key))
        else:
            connection.execute(_REOPEN, (self._owner.epoch, at_ms, at_ms, *key))
        return True

    def _is_as_it_was(self, connection: sqlite3.Connection, forward: Forward) -> bool:
        """Whether a message is still our own, and nothing has asked for another attempt."""
        number, kind = forward.transaction_id, forward.kind
        stood = (number, kind, self._owner.epoch, forward.next_attempt_at_ms)
        return connection.execute(_AS_IT_WAS, stood).fetchone() is not None

    def _append_by_hand(
        self, connection: sqlite3.Connection, message: StoredMessage, event: Event, at_ms: int
    ) -> None:
        """No bank has answered: the step shows the operator's reason in place of a message."""
        if message.resolution is None:
            raise ValueError(f"neither a bank nor an operator has ended {message.forward}")
        append(
            connection,
            message.forward.transaction_id,
            event,
            GUARDS[event].target,
            at_ms=at_ms,
            node=self._owner.node,
            detail=by_hand(message.resolution.reason),
        )


def _executed(connection: sqlite3.Connection, *, text: str, values: tuple[object, ...]) -> None:
    connection.execute(text, values)
