"""Each transaction beside its history, streamed in the order of both tables' keys."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, select

from netvalve.storage.schema import events, transactions


@dataclass(frozen=True, slots=True)
class Step:
    """One event as it is stored, in words that may be wrong."""

    sequence: int
    event: str
    state: str
    at_ms: int
    detail: str | None
    identity: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class TransactionHistory:
    """What a transaction's row says, and the steps that led to it."""

    transaction_id: int
    state: str
    opened_at_ms: int
    closed_at_ms: int | None
    response_code: str | None
    identity: tuple[str | None, ...]
    """Fields 7, 11, 37 and 41."""
    steps: tuple[Step, ...]


_HISTORIES: Final = (
    select(
        transactions.c.transaction_id,
        transactions.c.state,
        transactions.c.opened_at_ms,
        transactions.c.closed_at_ms,
        transactions.c.response_code,
        transactions.c.transmitted_at,
        transactions.c.stan,
        transactions.c.rrn,
        transactions.c.terminal_id,
        events.c.sequence,
        events.c.event,
        events.c.state,
        events.c.at_ms,
        events.c.detail,
        events.c.transmitted_at,
        events.c.stan,
        events.c.rrn,
        events.c.terminal_id,
    )
    .select_from(
        transactions.outerjoin(events, events.c.transaction_id == transactions.c.transaction_id)
    )
    .order_by(transactions.c.transaction_id, events.c.sequence)
)
_STEP: Final = 9
"""Where the event's columns begin."""


def histories(connection: Connection) -> Iterator[TransactionHistory]:
    """Every transaction of the store."""
    for _, rows in groupby(connection.execute(_HISTORIES), key=itemgetter(0)):
        yield _history([tuple(row) for row in rows])


def _history(rows: list[tuple[Any, ...]]) -> TransactionHistory:
    """One transaction's rows; where it has no history it is one, without an event."""
    number, state, opened_at_ms, closed_at_ms, response_code, *identity = rows[0][:_STEP]
    return TransactionHistory(
        number,
        state,
        opened_at_ms,
        closed_at_ms,
        response_code,
        tuple(identity),
        tuple(_step(row[_STEP:]) for row in rows if row[_STEP] is not None),
    )


def _step(columns: tuple[Any, ...]) -> Step:
    sequence, event, state, at_ms, detail, *identity = columns
    return Step(sequence, event, state, at_ms, detail, tuple(identity))
