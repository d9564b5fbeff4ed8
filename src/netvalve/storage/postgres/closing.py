"""Closings on PostgreSQL: a batch of outcomes with all each of them does, in one statement.

`closing_call` serves a batch of the journal and a single closing inside another transaction.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Final

from netvalve.domain.journal import Closing
from netvalve.domain.lifecycle import Event, IllegalTransition, State, after
from netvalve.storage.guards import GUARDS
from netvalve.storage.history_details import detail_of
from netvalve.storage.mapping import outcome_values, transaction_row
from netvalve.storage.owner import Owner
from netvalve.storage.postgres.closing_text import (
    BALANCE,
    FORWARD,
    GRANTED,
    IDENTITY,
    ILLEGAL,
    NO_KIND,
    OUTCOME,
    RECORDED,
    Frame,
    Kind,
    closing_text,
)
from netvalve.storage.postgres.rows import Row, bounds, document, row_of

BATCH: Final = Frame(
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


class Closings:
    """The statement of a batch of closings."""

    writer = "closing"

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def alone(self, item: Closing) -> Hashable:
        """Its order: one statement changes a row once."""
        return item.order_id

    def rivalry(self, item: Closing) -> None:
        """What it ends is its own."""
        del item

    def withdrawn(self, item: Closing) -> bool | None:
        """A closing is always to be written."""
        del item
        return None

    def call(self, items: Sequence[Closing]) -> tuple[str, list[Any]]:
        """The node, then what every statement of closings takes."""
        text, arguments = closing_call(BATCH, items, self._owner)
        return text, [self._owner.node, *arguments]

    def result(self, item: Closing, verdict: str) -> bool | Exception:
        """Whether it was written."""
        return closing_result(item, verdict)

    def follows(self, item: Closing, leader: Closing, result: object) -> None:
        """Another closing of its order says nothing of this one."""
        del item, leader, result

    def looks_again(self, item: Closing, verdict: str) -> bool:
        """It is judged by what it has locked, and by nothing else."""
        del item, verdict
        return False


def closing_call(frame: Frame, closings: Sequence[Closing], owner: Owner) -> tuple[str, list[Any]]:
    """The statement inside its frame, and its own parameters.

    Raises:
        IllegalTransition: one cannot be, whatever the rows are. A bug.
    """
    kinds = _kinds(closings)
    moved = [move.transaction_id for each in closings for move in each.moves]
    arguments = [
        document(_row(n, each, owner) for n, each in enumerate(closings)),
        *bounds([each.order_id for each in closings]),
        *bounds([*moved, *(each.transaction_id for each in closings)]),
        *([document(_moves(closings))] if Kind.MOVES in kinds else ()),
    ]
    return closing_text(frame, kinds), arguments


def closing_result(closing: Closing, verdict: str) -> bool | Exception:
    """Whether it was written; an error where the order or another transaction cannot move so."""
    if verdict == ILLEGAL:
        return IllegalTransition(None, closing.order_event or closing.event)
    return verdict == GRANTED


def _kinds(closings: Sequence[Closing]) -> Kind:
    """Which steps the statement needs."""
    kinds = NO_KIND
    for each in closings:
        if each.moves:
            kinds |= Kind.MOVES
        if each.forward is not None:
            kinds |= Kind.FORWARDS
        if each.recorded is not None:
            kinds |= Kind.RECORDED
    return kinds


def _row(n: int, closing: Closing, owner: Owner) -> Row:
    state = after(State.PENDING, closing.event)
    guard = None if closing.order_event is None else GUARDS[closing.order_event]
    return {
        "n": n,
        "transaction_id": closing.transaction_id,
        "order_id": closing.order_id,
        "at_ms": closing.at_ms,
        "closed_at_ms": None if state is State.PENDING else closing.at_ms,
        "charge_id": closing.charge_id,
        "state": state,
        "event": closing.event,
        "mti": closing.answer_mti,
        "response_code_39": closing.response_code_39,
        "detail": detail_of(closing),
        "order_target": None if guard is None else guard.target,
        "order_sources": None if guard is None else " ".join(guard.sources),
        "ends_turn": closing.ends_turn,
        **row_of(OUTCOME, outcome_values(closing.outcome)),
        **_identity(closing),
        **_balance(closing),
        **_forward(closing, owner),
        **_recorded(closing, owner),
    }


def _identity(closing: Closing) -> Row:
    if (own := closing.identity) is None:
        return {}
    return row_of(IDENTITY, (own.transmitted_at, own.stan, own.rrn, own.terminal_id))


def _balance(closing: Closing) -> Row:
    change = closing.balance
    return row_of(
        BALANCE,
        (
            change.authorised_minor,
            change.captured_minor,
            change.refunded_minor,
            change.reserved_minor,
        ),
    )


def _forward(closing: Closing, owner: Owner) -> Row:
    if (forward := closing.forward) is None:
        return {}
    own = forward.identity
    return row_of(
        FORWARD,
        (
            forward.transaction_id,
            forward.next_attempt_at_ms,
            forward.bank_id,
            owner.epoch,
            forward.kind,
            own.transmitted_at,
            own.stan,
            own.rrn,
            own.terminal_id,
            forward.original_rrn,
        ),
    )


def _recorded(closing: Closing, owner: Owner) -> Row:
    """A transaction that was never sent, in its final state."""
    if (recorded := closing.recorded) is None:
        return {}
    if recorded.state is not after(State.PENDING, Event.APPROVED):
        raise IllegalTransition(recorded.state, Event.APPROVED)
    row = transaction_row(recorded, mti="", node=owner.node, owner_epoch=owner.epoch)
    return row_of(RECORDED, row)


def _moves(closings: Sequence[Closing]) -> Iterator[Row]:
    for n, closing in enumerate(closings):
        for move in closing.moves:
            guard = GUARDS[move.event]
            yield {
                "n": n,
                "transaction_id": move.transaction_id,
                "at_ms": closing.at_ms,
                "event": move.event,
                "target": guard.target,
                "sources": " ".join(guard.sources),
                "detail": f"by transaction {closing.transaction_id}",
            }
