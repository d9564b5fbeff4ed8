"""Stored messages on SQLite: found when due, put off, ended."""

import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import Final

from netvalve.domain.journal import PAUSE_MAX_MS, Forward, ResolvedAs, StoredMessage
from netvalve.domain.lifecycle import Event
from netvalve.storage import forward_queries
from netvalve.storage.mapping import stored_message_of
from netvalve.storage.owner import Owner
from netvalve.storage.sqlite import late_answers, reversals
from netvalve.storage.sqlite.query import Query
from netvalve.storage.sqlite.reader import Reader
from netvalve.storage.sqlite.writer import Writer

_DUE: Final = Query.of(forward_queries.DUE)
_ASTRAY: Final = Query.of(forward_queries.ASTRAY)
_RESOLVED: Final = Query.of(forward_queries.RESOLVED)
_OF_ORIGINAL: Final = Query.of(forward_queries.OF_ORIGINAL)

_POSTPONE: Final = """
UPDATE forwards
SET attempts = attempts + ?, next_attempt_at_ms = ?, refused_39 = COALESCE(?, refused_39)
WHERE transaction_id = ? AND kind = ? AND done_at_ms IS NULL AND owner_epoch = ?
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
                reversals.acknowledge,
                message=message,
                at_ms=at_ms,
                response_code_39=response_code_39,
                owner=self._owner,
            )
        )

    async def reopen(self, message: StoredMessage, at_ms: int, response_code_39: str) -> bool:
        """The bank has approved late what is being, or has been, reversed: tell it again."""
        return await self._writer.write(
            partial(
                reversals.reopen,
                message=message,
                at_ms=at_ms,
                response_code_39=response_code_39,
                owner=self._owner,
            )
        )

    async def keep_late_answer(
        self,
        message: StoredMessage,
        at_ms: int,
        response_code_39: str,
        contradicts: ResolvedAs | None,
    ) -> Event | None:
        """Keep an answer to a transaction's own message, which has ended, in its history.

        Each field 39 once: what says the same again adds nothing. The event it is kept as:
        CONTRADICTED where an operator has resolved it as `contradicts`. None: it is pending.
        """
        return await self._writer.write(
            partial(
                late_answers.keep,
                message=message,
                at_ms=at_ms,
                response_code_39=response_code_39,
                contradicts=contradicts,
                node=self._owner.node,
            )
        )

    def _messages(self, query: Query, values: Mapping[str, object]) -> tuple[StoredMessage, ...]:
        rows = self._reader.read(
            lambda connection: connection.execute(query.text, query.bound(values)).fetchall()
        )
        return tuple(map(stored_message_of, rows))


def _executed(connection: sqlite3.Connection, *, text: str, values: tuple[object, ...]) -> None:
    connection.execute(text, values)
