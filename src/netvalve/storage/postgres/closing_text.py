"""The statement of closings: it locks, judges and writes, and says what it has done.

It locks the orders, then the transactions, each in the order of their numbers. Most batches hold
answers to plain sales: a statement has only the steps that its items call for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Flag, auto
from functools import cache
from typing import Final

from netvalve.domain.lifecycle import Event, State
from netvalve.storage.postgres.rows import Fields, fields_of, names_of, numbers, rows_in, texts
from netvalve.storage.postgres.steps import Steps, behind
from netvalve.storage.schema import transactions

GRANTED: Final = "0"
NOT_OURS: Final = "1"
ILLEGAL: Final = "2"

OUTCOME: Final = {
    **texts("response_code", "bank_response_code", "auth_code", "scheme_transaction_id"),
    **texts("avs_result", "cvv2_result"),
    **numbers("approved_minor"),
}
IDENTITY: Final = texts("transmitted_at", "stan", "rrn", "terminal_id")
BALANCE: Final = numbers("authorised_minor", "captured_minor", "refunded_minor", "reserved_minor")
MOVE: Final = {
    **numbers("n", "transaction_id", "at_ms"),
    **texts("event", "target", "sources", "detail"),
}
FORWARD: Final = {
    **numbers("forward_transaction_id", "forward_next_attempt_at_ms", "forward_bank_id"),
    **numbers("forward_owner_epoch"),
    **texts("forward_kind", "forward_transmitted_at", "forward_stan", "forward_rrn"),
    **texts("forward_terminal_id", "forward_original_rrn"),
}
RECORDED: Final = fields_of(transactions, "recorded_")
_ITEM: Final = {
    **numbers("n", "transaction_id", "order_id", "at_ms", "closed_at_ms", "charge_id"),
    **texts("state", "event", "mti", "response_code_39", "detail"),
    **texts("order_target", "order_sources"),
    "ends_turn": "boolean",
    **OUTCOME,
    **IDENTITY,
    **BALANCE,
}


class Kind(Flag):
    """What closings do beside ending their own transactions."""

    MOVES = auto()
    """Other transactions move along."""
    FORWARDS = auto()
    """Messages are stored for their bank."""
    RECORDED = auto()
    """Transactions come along that are never sent."""


NO_KIND: Final = Kind(0)


@dataclass(frozen=True, slots=True)
class Frame:
    """What is around the statement: a batch of the journal, or another transaction."""

    epoch: str
    node: str
    fence: str
    """Yields a row where it may write."""
    first: int
    """The number of its own first parameter."""
    ending: str
    """Makes its answer."""


def item_fields(kinds: Kind) -> Fields:
    """One row an item: its outcome and, under longer names, what comes with it."""
    return {
        **_ITEM,
        **(FORWARD if Kind.FORWARDS in kinds else {}),
        **(RECORDED if Kind.RECORDED in kinds else {}),
    }


@cache
def closing_text(frame: Frame, kinds: Kind) -> str:
    """Its own parameters are the items, and between which numbers orders and transactions lie.

    The last are the moves, where there are any.
    """
    items, *between, moves = (f"${frame.first + place}" for place in range(6))
    order_in, transaction_in = _between(*between[:2]), _between(*between[2:])
    steps = Steps()
    steps.look("fence", frame.fence)
    steps.look("item", f"SELECT i.* FROM fence, {rows_in(items, 'i', item_fields(kinds))}")
    if Kind.MOVES in kinds:
        steps.look("move", f"SELECT m.* FROM fence, {rows_in(moves, 'm', MOVE)}")
    steps.look("locked_order", _LOCKED_ORDER.format(inside=order_in))
    steps.look("locked", _LOCKED.format(numbers=_numbers(kinds), inside=transaction_in))
    steps.look("judged", _judged(frame, kinds))
    steps.change("changed", _CHANGED.format(inside=order_in))
    steps.change("closed", _CLOSED.format(inside=transaction_in))
    if Kind.MOVES in kinds:
        steps.change("moved", _MOVED.format(inside=transaction_in))
    if Kind.RECORDED in kinds:
        steps.change("kept", _KEPT)
    steps.in_line("repeats_ended", _REPEATS_ENDED)
    if Kind.FORWARDS in kinds:
        steps.in_line("forwarded", _FORWARDED)
    told = " UNION ALL ".join(_told(kinds))
    steps.change("told", _TOLD.format(steps=told, node=frame.node, inside=transaction_in))
    return steps.ended_by(frame.ending)


def _between(first: str, last: str) -> str:
    """That a number is among those of the batch: parts of other months are not even opened."""
    return f"BETWEEN {first}::bigint AND {last}::bigint"


def _numbers(kinds: Kind) -> str:
    own = "SELECT transaction_id FROM item"
    return f"{own} UNION SELECT transaction_id FROM move" if Kind.MOVES in kinds else own


def _judged(frame: Frame, kinds: Kind) -> str:
    return _JUDGED.format(
        epoch=frame.epoch, moves=f"OR {_CANNOT_MOVE}" if Kind.MOVES in kinds else ""
    )


def _told(kinds: Kind) -> Iterator[str]:
    """The new rows of the history."""
    yield _OF_ITSELF
    if Kind.MOVES in kinds:
        yield _OF_MOVES
    if Kind.RECORDED in kinds:
        yield _OF_RECORDED


_LOCKED_ORDER: Final = """
SELECT o.order_id, o.state FROM orders o
WHERE o.order_id = ANY (ARRAY(SELECT order_id FROM item)) AND o.order_id {inside}
ORDER BY o.order_id FOR UPDATE
"""
_LOCKED: Final = f"""
SELECT t.transaction_id, t.order_id, t.state, t.owner_epoch FROM transactions t
WHERE t.transaction_id = ANY (ARRAY({{numbers}})) AND t.transaction_id {{inside}}
    AND {behind("locked_order")}
ORDER BY t.transaction_id FOR UPDATE
"""
_JUDGED: Final = f"""
SELECT i.*, verdict = {GRANTED} AS granted FROM (SELECT i.*, CASE
    WHEN l.transaction_id IS NULL OR l.state <> '{State.PENDING}' OR l.owner_epoch <> {{epoch}}
        THEN {NOT_OURS}
    WHEN o.order_id IS NULL
        OR i.order_sources IS NOT NULL AND o.state <> ALL (string_to_array(i.order_sources, ' '))
        {{moves}} THEN {ILLEGAL}
    ELSE {GRANTED} END AS verdict
FROM item i
LEFT JOIN locked l ON l.transaction_id = i.transaction_id AND l.order_id = i.order_id
LEFT JOIN locked_order o ON o.order_id = i.order_id) i
"""
_CANNOT_MOVE: Final = """EXISTS (
    SELECT 1 FROM move m LEFT JOIN locked k
        ON k.transaction_id = m.transaction_id AND k.order_id = i.order_id
    WHERE m.n = i.n AND (
        k.transaction_id IS NULL OR k.state <> ALL (string_to_array(m.sources, ' '))
    )
)"""
_CHANGED: Final = f"""
UPDATE orders o
SET state = COALESCE(i.order_target, o.state),
    {", ".join(f"{name} = o.{name} + i.{name}" for name in BALANCE)},
    charge_id = COALESCE(i.charge_id, o.charge_id),
    in_flight_id = CASE
        WHEN i.ends_turn AND o.in_flight_id = i.transaction_id THEN NULL
        ELSE o.in_flight_id END,
    updated_at_ms = i.at_ms
FROM judged i
WHERE i.granted AND o.order_id = i.order_id
    AND o.order_id = ANY (ARRAY(SELECT order_id FROM item)) AND o.order_id {{inside}}
"""
_CLOSED: Final = f"""
UPDATE transactions t
SET state = i.state, closed_at_ms = i.closed_at_ms,
    {", ".join(f"{name} = i.{name}" for name in OUTCOME)}
FROM judged i
WHERE i.granted AND t.transaction_id = i.transaction_id
    AND t.transaction_id = ANY (ARRAY(SELECT transaction_id FROM item))
    AND t.transaction_id {{inside}}
"""
_MOVED: Final = """
UPDATE transactions t SET state = m.target
FROM judged i JOIN move m ON m.n = i.n
WHERE i.granted AND t.transaction_id = m.transaction_id
    AND t.transaction_id = ANY (ARRAY(SELECT transaction_id FROM move))
    AND t.transaction_id {inside}
"""
_KEPT: Final = f"""
INSERT INTO transactions ({names_of(fields_of(transactions))})
SELECT {names_of(RECORDED, "i")} FROM judged i
WHERE i.granted AND i.recorded_transaction_id IS NOT NULL
"""
_REPEATS_ENDED: Final = f"""
UPDATE forwards f SET done_at_ms = COALESCE(f.done_at_ms, i.at_ms)
FROM judged i
WHERE i.granted AND f.transaction_id = i.transaction_id
    AND f.transaction_id = ANY (ARRAY(SELECT transaction_id FROM item)) AND f.kind = 'REPEAT'
    AND i.state <> '{State.PENDING}' AND {{behind}}
RETURNING 1
"""
_FORWARDED: Final = f"""
INSERT INTO forwards (transaction_id, next_attempt_at_ms, bank_id, owner_epoch, kind,
    transmitted_at, stan, rrn, terminal_id, original_rrn, attempts)
SELECT {names_of(FORWARD, "i")}, 0 FROM judged i
WHERE i.granted AND i.forward_transaction_id IS NOT NULL AND {{behind}}
ORDER BY i.forward_transaction_id
ON CONFLICT (transaction_id, kind) DO UPDATE
SET next_attempt_at_ms = excluded.next_attempt_at_ms, done_at_ms = NULL,
    owner_epoch = excluded.owner_epoch
RETURNING 1
"""
_OF_ITSELF: Final = """
SELECT i.transaction_id, 1 AS step, i.event, i.state, i.at_ms, i.mti,
    i.transmitted_at, i.stan, i.rrn, i.terminal_id, i.response_code_39, i.detail
FROM judged i WHERE i.granted
"""
_OF_MOVES: Final = """
SELECT m.transaction_id, 1, m.event, m.target, m.at_ms, NULL,
    NULL, NULL, NULL, NULL, NULL, m.detail
FROM judged i JOIN move m ON m.n = i.n WHERE i.granted
"""
_OF_RECORDED: Final = f"""
SELECT i.recorded_transaction_id, r.step, r.event, r.state, r.at_ms, NULL,
    r.transmitted_at, r.stan, r.rrn, r.terminal_id, NULL, NULL
FROM judged i CROSS JOIN LATERAL (VALUES
    (1, '{Event.OPENED}', '{State.PENDING}', i.recorded_opened_at_ms, i.recorded_transmitted_at,
        i.recorded_stan, i.recorded_rrn, i.recorded_terminal_id),
    (2, '{Event.APPROVED}', i.recorded_state, i.at_ms, NULL, NULL, NULL, NULL)
) AS r(step, event, state, at_ms, transmitted_at, stan, rrn, terminal_id)
WHERE i.granted AND i.recorded_transaction_id IS NOT NULL
"""
_TOLD: Final = """
INSERT INTO events (transaction_id, sequence, event, state, at_ms, node, mti,
    transmitted_at, stan, rrn, terminal_id, response_code_39, detail)
SELECT s.transaction_id,
    s.step + COALESCE((
        SELECT max(e.sequence) FROM events e
        WHERE e.transaction_id = s.transaction_id AND e.transaction_id {inside}
    ), 0),
    s.event, s.state, s.at_ms, {node}, s.mti,
    s.transmitted_at, s.stan, s.rrn, s.terminal_id, s.response_code_39, s.detail
FROM ({steps}) s
"""
