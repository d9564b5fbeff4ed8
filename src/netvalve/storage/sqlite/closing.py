"""Closing: the outcome with all it does to the order, to other transactions and to what is sent."""

import sqlite3
from functools import cache
from typing import Final

from netvalve.domain.journal import Closing, Forward, Move
from netvalve.domain.lifecycle import Event, IllegalTransition, State, after
from netvalve.domain.transaction import Transaction
from netvalve.storage.guards import GUARDS
from netvalve.storage.history import Step
from netvalve.storage.history_details import detail_of
from netvalve.storage.mapping import outcome_values, transaction_row
from netvalve.storage.owner import Owner
from netvalve.storage.schema import transactions
from netvalve.storage.sqlite.history import append, append_opened
from netvalve.storage.sqlite.statements import insert, marks

_INSERT_TRANSACTION: Final = insert(transactions)

_CLOSE: Final = """
UPDATE transactions
SET state = ?, closed_at_ms = ?, response_code = ?, bank_response_code = ?, auth_code = ?,
    scheme_transaction_id = ?, avs_result = ?, cvv2_result = ?, approved_minor = ?
WHERE transaction_id = ? AND order_id = ? AND state = 'PENDING' AND owner_epoch = ?
"""

_CHANGE_ORDER: Final = """
UPDATE orders
SET state = COALESCE(?, state),
    authorised_minor = authorised_minor + ?, captured_minor = captured_minor + ?,
    refunded_minor = refunded_minor + ?, reserved_minor = reserved_minor + ?,
    charge_id = COALESCE(?, charge_id), in_flight_id = NULLIF(in_flight_id, ?),
    updated_at_ms = ?
WHERE order_id = ?
"""

_MOVE: Final = "UPDATE transactions SET state = ? WHERE transaction_id = ? AND order_id = ?"

_STORE_FORWARD: Final = """
INSERT INTO forwards
    (transaction_id, kind, next_attempt_at_ms, attempts,
     bank_id, transmitted_at, stan, rrn, terminal_id, original_rrn, owner_epoch)
VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (transaction_id, kind)
DO UPDATE SET next_attempt_at_ms = excluded.next_attempt_at_ms, done_at_ms = NULL,
    owner_epoch = excluded.owner_epoch
"""

_END_REPEATS: Final = """
UPDATE forwards SET done_at_ms = ?
WHERE transaction_id = ? AND kind = 'REPEAT' AND done_at_ms IS NULL
"""

_STATE_OF_ORDER: Final = "SELECT state FROM orders WHERE order_id = ?"
_STATE_OF_TRANSACTION: Final = "SELECT state FROM transactions WHERE transaction_id = ?"


def write_closing(connection: sqlite3.Connection, closing: Closing, owner: Owner) -> bool:
    """Write a closing whole; False, and nothing written, where the transaction is not ours to end.

    Raises:
        IllegalTransition: the order or a related transaction is where it cannot be. A bug.
    """
    state = after(State.PENDING, closing.event)
    pending = state is State.PENDING
    key = (closing.transaction_id, closing.order_id, owner.epoch)
    values = (state, None if pending else closing.at_ms, *outcome_values(closing.outcome))
    if connection.execute(_CLOSE, (*values, *key)).rowcount == 0:
        return False
    _append_event(connection, closing, state, owner)
    _change_order(connection, closing)
    for move in closing.moves:
        _move(connection, move, closing, owner)
    if not pending:
        connection.execute(_END_REPEATS, (closing.at_ms, closing.transaction_id))
    if closing.forward is not None:
        _store_forward(connection, closing.forward, owner)
    if closing.recorded is not None:
        _record(connection, closing.recorded, closing.at_ms, owner)
    return True


def _append_event(
    connection: sqlite3.Connection, closing: Closing, state: State, owner: Owner
) -> None:
    step = Step(
        closing.event,
        state,
        closing.at_ms,
        closing.answer_mti,
        closing.identity,
        closing.response_code_39,
        detail_of(closing),
    )
    append(connection, closing.transaction_id, step, owner.node)


def _change_order(connection: sqlite3.Connection, closing: Closing) -> None:
    event, balance = closing.order_event, closing.balance
    guard = None if event is None else GUARDS[event]
    values = (
        None if guard is None else guard.target,
        balance.authorised_minor,
        balance.captured_minor,
        balance.refunded_minor,
        balance.reserved_minor,
        closing.charge_id,
        closing.transaction_id if closing.ends_turn else None,
        closing.at_ms,
        closing.order_id,
    )
    sources = () if guard is None else guard.sources
    text = _guarded(_CHANGE_ORDER, len(sources))
    if connection.execute(text, (*values, *sources)).rowcount == 0:
        raise IllegalTransition(
            _found(connection, _STATE_OF_ORDER, closing.order_id), event or closing.event
        )


def _move(connection: sqlite3.Connection, move: Move, closing: Closing, owner: Owner) -> None:
    guard = GUARDS[move.event]
    values = (guard.target, move.transaction_id, closing.order_id, *guard.sources)
    if connection.execute(_guarded(_MOVE, len(guard.sources)), values).rowcount == 0:
        raise IllegalTransition(
            _found(connection, _STATE_OF_TRANSACTION, move.transaction_id), move.event
        )
    detail = f"by transaction {closing.transaction_id}"
    step = Step(move.event, guard.target, closing.at_ms, detail=detail)
    append(connection, move.transaction_id, step, owner.node)


def _store_forward(connection: sqlite3.Connection, forward: Forward, owner: Owner) -> None:
    identity = forward.identity
    connection.execute(
        _STORE_FORWARD,
        (
            forward.transaction_id,
            forward.kind,
            forward.next_attempt_at_ms,
            forward.bank_id,
            identity.transmitted_at,
            identity.stan,
            identity.rrn,
            identity.terminal_id,
            forward.original_rrn,
            owner.epoch,
        ),
    )


def _record(
    connection: sqlite3.Connection, recorded: Transaction, at_ms: int, owner: Owner
) -> None:
    """A transaction that was never sent, in its final state."""
    if recorded.state is not after(State.PENDING, Event.APPROVED):
        raise IllegalTransition(recorded.state, Event.APPROVED)
    row = transaction_row(recorded, mti="", node=owner.node, owner_epoch=owner.epoch)
    connection.execute(_INSERT_TRANSACTION, row)
    append_opened(connection, recorded, mti="", node=owner.node)
    approved = Step(Event.APPROVED, recorded.state, at_ms)
    append(connection, recorded.transaction_id, approved, owner.node)


@cache
def _guarded(statement: str, sources: int) -> str:
    """The statement, taking effect only in one of so many states."""
    return f"{statement} AND state IN ({marks(sources)})" if sources else statement


def _found(connection: sqlite3.Connection, query: str, number: int) -> State | None:
    row = connection.execute(query, (number,)).fetchone()
    return None if row is None else State(row[0])
