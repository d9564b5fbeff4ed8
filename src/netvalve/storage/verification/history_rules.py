"""What must hold of every transaction: its history replays to where it stands. Pure."""

from collections.abc import Iterator
from itertools import pairwise

from netvalve.domain.lifecycle import Event, IllegalTransition, State, after
from netvalve.storage.verification.breach import Breach, Subject
from netvalve.storage.verification.histories import Step, TransactionHistory


def breaches_of(history: TransactionHistory) -> Iterator[Breach]:
    """Every rule that a transaction's history breaks."""
    for rule, found, expected in (
        *_opened(history),
        *_numbered(history),
        *_replayed(history),
        *_stands(history),
        *_closed(history),
    ):
        yield Breach(Subject.TRANSACTION, history.transaction_id, rule, str(found), str(expected))


_Broken = Iterator[tuple[str, object, object]]
"""The rule, what is there, what should be."""


def _opened(history: TransactionHistory) -> _Broken:
    """The first step says when the transaction was opened and as which message it was sent."""
    if not history.steps or history.steps[0].event != Event.OPENED:
        found = history.steps[0].event if history.steps else "no history"
        yield "a transaction's history begins with OPENED", found, Event.OPENED
        return
    first = history.steps[0]
    opened, row = (first.at_ms, *first.identity), (history.opened_at_ms, *history.identity)
    if row != opened:
        yield "a transaction keeps the time and message it was opened with", row, opened


def _numbered(history: TransactionHistory) -> _Broken:
    sequences = [step.sequence for step in history.steps]
    expected = [*range(1, len(sequences) + 1)]
    if sequences != expected:
        yield "a transaction's history has no gaps", sequences, expected


def _replayed(history: TransactionHistory) -> _Broken:
    """Each step leads where the lifecycle says, from where the step before it led."""
    state: State | None = None
    for step in history.steps:
        try:
            state = after(state, Event(step.event))
        except (IllegalTransition, ValueError):
            yield (
                "a transaction's history follows the lifecycle",
                step.event,
                f"an event that may follow {state or 'nothing'}",
            )
            return
        if step.state != state:
            yield "each event leads where the lifecycle says", step.state, state


def _stands(history: TransactionHistory) -> _Broken:
    if history.steps and history.state != history.steps[-1].state:
        yield (
            "a transaction stands where its history leads",
            history.state,
            history.steps[-1].state,
        )


def _closed(history: TransactionHistory) -> _Broken:
    """Time and response code come with the step that ends the waiting, and only then."""
    pending = history.state == State.PENDING
    if pending != (history.closed_at_ms is None) or pending != (history.response_code is None):
        found = f"{history.state}, {history.closed_at_ms}, {history.response_code}"
        expected = "neither" if pending else "both"
        yield "a transaction has closing time and response code when it has ended", found, expected
        return
    closing = _closing_step(history.steps)
    if pending or closing is None:
        return
    told = _code_in(closing.detail) or history.response_code
    if (history.closed_at_ms, history.response_code) != (closing.at_ms, told):
        yield (
            "a transaction keeps the time and response code it was closed with",
            (history.closed_at_ms, history.response_code),
            (closing.at_ms, told),
        )


def _code_in(detail: str | None) -> str | None:
    """The response code as the step keeps it; a reason may follow, where it was taken by hand."""
    return detail.partition(" ")[0] if detail else None


def _closing_step(steps: tuple[Step, ...]) -> Step | None:
    for before, step in pairwise(steps):
        if before.state == State.PENDING and step.state != State.PENDING:
            return step
    return None
