"""Stored messages on SQLite: found when due, put off, ended; and orphans taken over."""

import sqlite3
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from netvalve.domain.journal import Closing, Forward, ForwardKind, StoredMessage
from netvalve.domain.lifecycle import Event
from netvalve.domain.order import Order
from netvalve.domain.transaction import MessageIdentity, Transaction
from netvalve.storage import forward_queries
from netvalve.storage.guards import GUARDS
from netvalve.storage.mapping import Row, transaction_on_order_of
from netvalve.storage.schema import forwards
from netvalve.storage.sqlite.closing import write_closing
from netvalve.storage.sqlite.history import append
from netvalve.storage.sqlite.owner import Owner
from netvalve.storage.sqlite.query import Query
from netvalve.storage.sqlite.reader import Reader
from netvalve.storage.sqlite.statements import marks
from netvalve.storage.sqlite.writer import Writer

_FORWARD_WIDTH: Final = len(forwards.c)
_MTI_OF: Final = {Event.REVERSAL_ACKNOWLEDGED: "0430", Event.LATE_APPROVAL: None}
"""A late approval may have come as 0110 or 0210; its transaction's first event tells which."""

_DUE: Final = Query.of(forward_queries.DUE)
_OF_ORIGINAL: Final = Query.of(forward_queries.OF_ORIGINAL)
_ORPHANS: Final = Query.of(forward_queries.ORPHANS)

_POSTPONE: Final = """
UPDATE forwards SET attempts = attempts + ?, next_attempt_at_ms = ?
WHERE transaction_id = ? AND kind = ? AND done_at_ms IS NULL
"""
_END: Final = "UPDATE forwards SET done_at_ms = ? WHERE transaction_id = ? AND kind = ?"
_REOPEN: Final = """
UPDATE forwards SET done_at_ms = NULL, next_attempt_at_ms = ? WHERE transaction_id = ? AND kind = ?
"""
_MOVE_TRANSACTION: Final = "UPDATE transactions SET state = ? WHERE transaction_id = ? AND state IN"
_MOVE_ORDER: Final = """
UPDATE orders SET state = ?, updated_at_ms = ? WHERE order_id = ? AND opening_id = ? AND state IN
"""
_ADOPT: Final = """
UPDATE transactions SET owner_epoch = ?, node = ?
WHERE transaction_id = ? AND state = 'PENDING' AND owner_epoch <> ?
"""
_ADOPT_STORED: Final = """
UPDATE transactions SET owner_epoch = ?, node = ?
WHERE state = 'PENDING' AND owner_epoch <> ? AND EXISTS (
    SELECT 1 FROM forwards f
    WHERE f.transaction_id = transactions.transaction_id AND f.done_at_ms IS NULL
)
"""


class SqliteForwards:
    """Messages that wait for their bank, and what an earlier start left pending."""

    def __init__(self, path: Path, writer: Writer, owner: Owner) -> None:
        self._reader = Reader(path)
        self._writer = writer
        self._owner = owner

    def close(self) -> None:
        """Close the look-ups' connection."""
        self._reader.close()

    async def due(self, bank_id: int, now_ms: int, limit: int) -> tuple[StoredMessage, ...]:
        """What is to be sent to a bank now, the longest waiting first."""
        return self._messages(_DUE, {"bank_id": bank_id, "now_ms": now_ms, "limit": limit})

    async def of_original(self, rrn: str) -> tuple[StoredMessage, ...]:
        """What is stored about the message with this RRN, whether or not it has ended."""
        return self._messages(_OF_ORIGINAL, {"rrn": rrn})

    async def postpone(self, forward: Forward, next_attempt_at_ms: int, *, counted: bool) -> None:
        """Name the time of the next attempt; `counted` where one has been made."""
        values = (int(counted), next_attempt_at_ms, forward.transaction_id, forward.kind)
        await self._writer.write(partial(_executed, text=_POSTPONE, values=values))

    async def acknowledge(self, message: StoredMessage, at_ms: int, response_code_39: str) -> bool:
        """The bank has undone what a reversal is about. False: it was ended before."""
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

    async def adopt(self) -> None:
        """Make our own what earlier starts left pending with a message stored."""
        owner = self._owner
        await self._writer.write(
            partial(_executed, text=_ADOPT_STORED, values=(owner.epoch, owner.node, owner.epoch))
        )

    async def orphans(self, after_id: int, limit: int) -> tuple[tuple[Transaction, Order], ...]:
        """What earlier starts left pending without a message stored, in the order of numbers."""
        values = _ORPHANS.bound({"epoch": self._owner.epoch, "after_id": after_id, "limit": limit})
        rows = self._reader.read(
            lambda connection: connection.execute(_ORPHANS.text, values).fetchall()
        )
        return tuple(map(transaction_on_order_of, rows))

    async def close_orphan(self, closing: Closing) -> bool:
        """Adopt an orphan and close it, in one write. False: it is not an orphan any more."""
        return await self._writer.write(partial(self._adopted_and_closed, closing=closing))

    def _messages(self, query: Query, values: Mapping[str, object]) -> tuple[StoredMessage, ...]:
        rows = self._reader.read(
            lambda connection: connection.execute(query.text, query.bound(values)).fetchall()
        )
        return tuple(map(_message_of, rows))

    def _reversal_moved(
        self,
        connection: sqlite3.Connection,
        *,
        message: StoredMessage,
        event: Event,
        at_ms: int,
        response_code_39: str,
    ) -> bool:
        transaction, guard = message.transaction, GUARDS[event]
        states = f" ({marks(len(guard.sources))})"
        number = transaction.transaction_id
        moved = connection.execute(
            _MOVE_TRANSACTION + states, (guard.target, number, *guard.sources)
        )
        if moved.rowcount == 0:
            return False
        connection.execute(
            _MOVE_ORDER + states,
            (guard.target, at_ms, transaction.order_id, number, *guard.sources),
        )
        append(
            connection,
            number,
            event,
            guard.target,
            at_ms=at_ms,
            node=self._owner.node,
            mti=_MTI_OF[event],
            identity=message.forward.identity
            if event is Event.REVERSAL_ACKNOWLEDGED
            else transaction.identity,
            response_code_39=response_code_39,
        )
        ended = _END if event is Event.REVERSAL_ACKNOWLEDGED else _REOPEN
        connection.execute(ended, (at_ms, number, ForwardKind.REVERSAL))
        return True

    def _adopted_and_closed(self, connection: sqlite3.Connection, *, closing: Closing) -> bool:
        owner = self._owner
        values = (owner.epoch, owner.node, closing.transaction_id, owner.epoch)
        if connection.execute(_ADOPT, values).rowcount == 0:
            return False
        return write_closing(connection, closing, owner)


def _executed(connection: sqlite3.Connection, *, text: str, values: tuple[object, ...]) -> None:
    connection.execute(text, values)


def _message_of(row: Row) -> StoredMessage:
    forward, about = row[:_FORWARD_WIDTH], row[_FORWARD_WIDTH:]
    transaction, order = transaction_on_order_of(about)
    return StoredMessage(
        forward=Forward(
            kind=ForwardKind(forward[1]),
            transaction_id=forward[0],
            next_attempt_at_ms=forward[2],
            bank_id=forward[5],
            identity=MessageIdentity(*forward[6:10]),
            original_rrn=forward[10],
        ),
        attempts=forward[3],
        transaction=transaction,
        order=order,
    )
