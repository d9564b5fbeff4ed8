"""Closings on PostgreSQL: a batch of outcomes with all each of them does, in one statement.

It locks the orders, then the transactions, each in the order of their numbers; judges each closing
by what it has locked; and writes what is granted. `closing_text` serves a batch of the journal and
a single closing inside another transaction.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, Final

from netvalve.domain.journal import Closing
from netvalve.domain.lifecycle import Event, IllegalTransition, State, after
from netvalve.storage.guards import GUARDS
from netvalve.storage.history_details import detail_of
from netvalve.storage.mapping import outcome_values, transaction_row
from netvalve.storage.owner import Owner
from netvalve.storage.postgres.arrays import (
    Parameters,
    columns_of,
    fields_of,
    names_of,
    numbers,
    texts,
)
from netvalve.storage.schema import transactions

GRANTED: Final = "0"
NOT_OURS: Final = "1"
ILLEGAL: Final = "2"

_OUTCOME: Final = [
    *texts("response_code", "bank_response_code", "auth_code", "scheme_transaction_id"),
    *texts("avs_result", "cvv2_result"),
    *numbers("approved_minor"),
]
_IDENTITY: Final = texts("transmitted_at", "stan", "rrn", "terminal_id")
_BALANCE: Final = numbers("authorised_minor", "captured_minor", "refunded_minor", "reserved_minor")
_ITEM: Final = [
    *numbers("n", "transaction_id", "order_id", "at_ms", "closed_at_ms", "charge_id"),
    *texts("state"),
    *_OUTCOME,
    *texts("event", "mti"),
    *_IDENTITY,
    *texts("response_code_39", "detail", "order_target", "order_sources"),
    *_BALANCE,
    ("ends_turn", "boolean"),
]
_MOVE: Final = [
    *numbers("n", "transaction_id", "at_ms"),
    *texts("event", "target", "sources", "detail"),
]
_FORWARD: Final = [
    *numbers("n", "transaction_id", "next_attempt_at_ms", "bank_id"),
    *texts("kind", "transmitted_at", "stan", "rrn", "terminal_id", "original_rrn"),
]
_RECORDED: Final = [*numbers("n", "at_ms"), *fields_of(transactions)]


def closing_text(*, epoch: str, node: str, fence: str, first: int, ending: str) -> str:
    """The statement; `fence` yields a row where it may write, `ending` makes its answer."""
    of = Parameters(first)
    item, move = of.rows("i", _ITEM), of.rows("m", _MOVE)
    forward, recorded = of.rows("f", _FORWARD), of.rows("r", _RECORDED)
    outcome = ", ".join(f"{name} = i.{name}" for name, _ in _OUTCOME)
    balance = ", ".join(f"{name} = o.{name} + i.{name}" for name, _ in _BALANCE)
    return f"""
WITH fence AS MATERIALIZED (
    {fence}
), item AS MATERIALIZED (
    SELECT i.* FROM fence, {item}
), move AS MATERIALIZED (
    SELECT * FROM {move}
), forward AS MATERIALIZED (
    SELECT * FROM {forward}
), recorded AS MATERIALIZED (
    SELECT * FROM {recorded}
), locked_order AS MATERIALIZED (
    SELECT o.order_id, o.state FROM orders o
    WHERE o.order_id = ANY (ARRAY(SELECT order_id FROM item))
    ORDER BY o.order_id FOR UPDATE
), locked AS MATERIALIZED (
    SELECT t.transaction_id, t.order_id, t.state, t.owner_epoch FROM transactions t
    WHERE t.transaction_id = ANY (ARRAY(
            SELECT transaction_id FROM item UNION SELECT transaction_id FROM move
        )) AND EXISTS (SELECT 1 FROM fence) AND (SELECT count(*) FROM locked_order) >= 0
    ORDER BY t.transaction_id FOR UPDATE
), judged AS MATERIALIZED (
    SELECT i.n, CASE
        WHEN l.transaction_id IS NULL OR l.state <> '{State.PENDING}' OR l.owner_epoch <> {epoch}
            THEN {NOT_OURS}
        WHEN o.order_id IS NULL
            OR i.order_sources IS NOT NULL
                AND o.state <> ALL (string_to_array(i.order_sources, ' '))
            OR EXISTS (
                SELECT 1 FROM move m LEFT JOIN locked k
                    ON k.transaction_id = m.transaction_id AND k.order_id = i.order_id
                WHERE m.n = i.n AND (
                    k.transaction_id IS NULL OR k.state <> ALL (string_to_array(m.sources, ' '))
                )
            ) THEN {ILLEGAL}
        ELSE {GRANTED} END AS verdict
    FROM item i
    LEFT JOIN locked l ON l.transaction_id = i.transaction_id AND l.order_id = i.order_id
    LEFT JOIN locked_order o ON o.order_id = i.order_id
), granted AS MATERIALIZED (
    SELECT i.* FROM judged j JOIN item i ON i.n = j.n WHERE j.verdict = {GRANTED}
), changed AS (
    UPDATE orders o
    SET state = COALESCE(i.order_target, o.state), {balance},
        charge_id = COALESCE(i.charge_id, o.charge_id),
        in_flight_id = CASE
            WHEN i.ends_turn AND o.in_flight_id = i.transaction_id THEN NULL
            ELSE o.in_flight_id END,
        updated_at_ms = i.at_ms
    FROM granted i
    WHERE o.order_id = i.order_id AND o.order_id = ANY (ARRAY(SELECT order_id FROM granted))
    RETURNING 1
), closed AS (
    UPDATE transactions t
    SET state = i.state, closed_at_ms = i.closed_at_ms, {outcome}
    FROM granted i
    WHERE t.transaction_id = i.transaction_id
        AND t.transaction_id = ANY (ARRAY(SELECT transaction_id FROM granted))
        AND (SELECT count(*) FROM changed) >= 0
    RETURNING 1
), moved AS (
    UPDATE transactions t SET state = m.target
    FROM granted i JOIN move m ON m.n = i.n
    WHERE t.transaction_id = m.transaction_id
        AND t.transaction_id = ANY (ARRAY(SELECT transaction_id FROM move))
        AND (SELECT count(*) FROM closed) >= 0
    RETURNING 1
), kept AS (
    INSERT INTO transactions ({names_of(fields_of(transactions))})
    SELECT {names_of(fields_of(transactions), "r")}
    FROM granted i JOIN recorded r ON r.n = i.n
    WHERE (SELECT count(*) FROM moved) >= 0
    ORDER BY r.transaction_id
    RETURNING 1
), repeats_ended AS (
    UPDATE forwards f SET done_at_ms = i.at_ms
    FROM granted i
    WHERE f.transaction_id = i.transaction_id AND f.kind = 'REPEAT' AND f.done_at_ms IS NULL
        AND i.state <> '{State.PENDING}' AND (SELECT count(*) FROM kept) >= 0
    RETURNING 1
), forwarded AS (
    INSERT INTO forwards (transaction_id, kind, next_attempt_at_ms, attempts,
        bank_id, transmitted_at, stan, rrn, terminal_id, original_rrn, owner_epoch)
    SELECT f.transaction_id, f.kind, f.next_attempt_at_ms, 0,
        f.bank_id, f.transmitted_at, f.stan, f.rrn, f.terminal_id, f.original_rrn, {epoch}
    FROM granted i JOIN forward f ON f.n = i.n
    WHERE (SELECT count(*) FROM repeats_ended) >= 0
    ORDER BY f.transaction_id
    ON CONFLICT (transaction_id, kind) DO UPDATE
    SET next_attempt_at_ms = excluded.next_attempt_at_ms, done_at_ms = NULL,
        owner_epoch = excluded.owner_epoch
    RETURNING 1
), told AS (
    INSERT INTO events (transaction_id, sequence, event, state, at_ms, node, mti,
        transmitted_at, stan, rrn, terminal_id, response_code_39, detail)
    SELECT s.transaction_id,
        s.step + COALESCE((
            SELECT max(e.sequence) FROM events e WHERE e.transaction_id = s.transaction_id
        ), 0),
        s.event, s.state, s.at_ms, {node}, s.mti,
        s.transmitted_at, s.stan, s.rrn, s.terminal_id, s.response_code_39, s.detail
    FROM (
        SELECT i.transaction_id, 1 AS step, i.event, i.state, i.at_ms, i.mti,
            i.transmitted_at, i.stan, i.rrn, i.terminal_id, i.response_code_39, i.detail
        FROM granted i
        UNION ALL
        SELECT m.transaction_id, 1, m.event, m.target, m.at_ms, NULL,
            NULL, NULL, NULL, NULL, NULL, m.detail
        FROM granted i JOIN move m ON m.n = i.n
        UNION ALL
        SELECT r.transaction_id, 1, '{Event.OPENED}', '{State.PENDING}', r.opened_at_ms, NULL,
            r.transmitted_at, r.stan, r.rrn, r.terminal_id, NULL, NULL
        FROM granted i JOIN recorded r ON r.n = i.n
        UNION ALL
        SELECT r.transaction_id, 2, '{Event.APPROVED}', r.state, r.at_ms, NULL,
            NULL, NULL, NULL, NULL, NULL, NULL
        FROM granted i JOIN recorded r ON r.n = i.n
    ) s
    WHERE (SELECT count(*) FROM forwarded) >= 0
    ORDER BY s.transaction_id, s.step
    RETURNING 1
)
{ending}
"""


def closing_arguments(closings: Sequence[Closing], owner: Owner) -> list[Any]:
    """The parameters of `closing_text`, from its `first` on.

    Raises:
        IllegalTransition: one cannot be, whatever the rows are. A bug.
    """
    return [
        *columns_of([*map(_item, range(len(closings)), closings)], _ITEM),
        *columns_of([*_moves(closings)], _MOVE),
        *columns_of([*_forwards(closings)], _FORWARD),
        *columns_of([*_recorded(closings, owner)], _RECORDED),
    ]


def closing_result(closing: Closing, verdict: str) -> bool | Exception:
    """Whether it was written; an error where the order or another transaction cannot move so."""
    if verdict == ILLEGAL:
        return IllegalTransition(None, closing.order_event or closing.event)
    return verdict == GRANTED


class Closings:
    """The statement of a batch of closings."""

    writer = "closing"
    text = closing_text(
        epoch="$1",
        node="$5::text",
        fence="SELECT 1 FROM batches WHERE epoch = $1 AND writer = $2 AND session = $3 FOR UPDATE",
        first=6,
        ending="""
UPDATE batches
SET batch = $4, verdicts = (SELECT string_agg(verdict::text, '' ORDER BY n) FROM judged)
WHERE epoch = $1 AND writer = $2 AND EXISTS (SELECT 1 FROM fence)
RETURNING verdicts
""",
    )

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def names(self, item: Closing) -> Iterable[Hashable]:
        """Its order: one statement changes a row once."""
        yield item.order_id

    def withdrawn(self, item: Closing) -> bool | None:
        """A closing is always to be written."""
        del item
        return None

    def arguments(self, items: Sequence[Closing]) -> list[Any]:
        """The node, then the arrays."""
        return [self._owner.node, *closing_arguments(items, self._owner)]

    def result(self, item: Closing, verdict: str) -> bool | Exception:
        """Whether it was written."""
        return closing_result(item, verdict)

    def looks_again(self, item: Closing, verdict: str) -> bool:
        """It is judged by what it has locked, and by nothing else."""
        del item, verdict
        return False


def _item(n: int, closing: Closing) -> tuple[object, ...]:
    state = after(State.PENDING, closing.event)
    identity, balance = closing.identity, closing.balance
    guard = None if closing.order_event is None else GUARDS[closing.order_event]
    return (
        n,
        closing.transaction_id,
        closing.order_id,
        closing.at_ms,
        None if state is State.PENDING else closing.at_ms,
        closing.charge_id,
        state,
        *outcome_values(closing.outcome),
        closing.event,
        closing.answer_mti,
        *(
            (None,) * 4
            if identity is None
            else (identity.transmitted_at, identity.stan, identity.rrn, identity.terminal_id)
        ),
        closing.response_code_39,
        detail_of(closing),
        None if guard is None else guard.target,
        None if guard is None else " ".join(guard.sources),
        balance.authorised_minor,
        balance.captured_minor,
        balance.refunded_minor,
        balance.reserved_minor,
        closing.ends_turn,
    )


def _moves(closings: Sequence[Closing]) -> Iterator[tuple[object, ...]]:
    for n, closing in enumerate(closings):
        for move in closing.moves:
            guard = GUARDS[move.event]
            detail = f"by transaction {closing.transaction_id}"
            sources = " ".join(guard.sources)
            yield (
                n,
                move.transaction_id,
                closing.at_ms,
                move.event,
                guard.target,
                sources,
                detail,
            )


def _forwards(closings: Sequence[Closing]) -> Iterator[tuple[object, ...]]:
    for n, closing in enumerate(closings):
        if (forward := closing.forward) is not None:
            identity = forward.identity
            yield (
                n,
                forward.transaction_id,
                forward.next_attempt_at_ms,
                forward.bank_id,
                forward.kind,
                identity.transmitted_at,
                identity.stan,
                identity.rrn,
                identity.terminal_id,
                forward.original_rrn,
            )


def _recorded(closings: Sequence[Closing], owner: Owner) -> Iterator[tuple[object, ...]]:
    """Transactions that were never sent, in their final state."""
    for n, closing in enumerate(closings):
        if (recorded := closing.recorded) is not None:
            if recorded.state is not after(State.PENDING, Event.APPROVED):
                raise IllegalTransition(recorded.state, Event.APPROVED)
            row = transaction_row(recorded, mti="", node=owner.node, owner_epoch=owner.epoch)
            yield n, closing.at_ms, *row
