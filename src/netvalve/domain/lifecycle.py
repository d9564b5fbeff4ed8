"""The life of a transaction: every state, every event and the one table that joins them.

Guards, the public status, the actions that may follow, the states a statement may find and the
diagram in the documentation are all made from `TRANSITIONS`.
"""

from collections.abc import Mapping
from enum import StrEnum

from netvalve.domain.transaction_type import TransactionType


class State(StrEnum):
    """Where a transaction stands. An order stands where its money stands."""

    PENDING = "PENDING"
    """Durable, and perhaps at the bank: the outcome is unknown and will be known."""
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    FAILED = "FAILED"
    """Surely never at the bank, or ended there without effect."""
    REVERSING = "REVERSING"
    """Failed for the merchant; the bank is being told until it agrees."""
    REVERSED = "REVERSED"
    CAPTURED = "CAPTURED"
    PARTIALLY_SETTLED = "PARTIALLY_SETTLED"
    CANCELLED = "CANCELLED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


class Event(StrEnum):
    """What happens to a transaction: at the bank, on the line, or to the money it brought."""

    OPENED = "OPENED"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    NOT_SENT = "NOT_SENT"
    UNANSWERED = "UNANSWERED"
    """No answer to an authorize, sale or rebill: its reversal is stored."""
    REPEATED = "REPEATED"
    """No answer to a capture, refund or cancel: it is stored to be repeated."""
    MISMATCHED = "MISMATCHED"
    """Approved with another amount or currency than was asked: its reversal is stored."""
    REVERSAL_ACKNOWLEDGED = "REVERSAL_ACKNOWLEDGED"
    LATE_APPROVAL = "LATE_APPROVAL"
    """An approval came in after the reversal was stored: the bank is told again."""
    CAPTURED = "CAPTURED"
    PARTIALLY_CAPTURED = "PARTIALLY_CAPTURED"
    CANCELLED = "CANCELLED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    LATE_ANSWER = "LATE_ANSWER"
    """The bank has answered what waits for no answer any more."""
    CONTRADICTED = "CONTRADICTED"
    """Such an answer is not what an operator has resolved."""


TRANSITIONS: Mapping[tuple[State | None, Event], State] = {
    (None, Event.OPENED): State.PENDING,
    (State.PENDING, Event.APPROVED): State.APPROVED,
    (State.PENDING, Event.DECLINED): State.DECLINED,
    (State.PENDING, Event.NOT_SENT): State.FAILED,
    (State.PENDING, Event.UNANSWERED): State.REVERSING,
    (State.PENDING, Event.MISMATCHED): State.REVERSING,
    (State.PENDING, Event.REPEATED): State.PENDING,
    (State.REVERSING, Event.REVERSAL_ACKNOWLEDGED): State.REVERSED,
    (State.REVERSING, Event.LATE_APPROVAL): State.REVERSING,
    (State.REVERSED, Event.LATE_APPROVAL): State.REVERSING,
    (State.APPROVED, Event.CAPTURED): State.CAPTURED,
    (State.APPROVED, Event.PARTIALLY_CAPTURED): State.PARTIALLY_SETTLED,
    (State.APPROVED, Event.CANCELLED): State.CANCELLED,
    (State.APPROVED, Event.PARTIALLY_REFUNDED): State.PARTIALLY_REFUNDED,
    (State.APPROVED, Event.REFUNDED): State.REFUNDED,
    (State.CAPTURED, Event.PARTIALLY_REFUNDED): State.PARTIALLY_REFUNDED,
    (State.CAPTURED, Event.REFUNDED): State.REFUNDED,
    (State.PARTIALLY_SETTLED, Event.PARTIALLY_REFUNDED): State.PARTIALLY_REFUNDED,
    (State.PARTIALLY_SETTLED, Event.REFUNDED): State.REFUNDED,
    (State.PARTIALLY_REFUNDED, Event.PARTIALLY_REFUNDED): State.PARTIALLY_REFUNDED,
    (State.PARTIALLY_REFUNDED, Event.REFUNDED): State.REFUNDED,
}
"""The whole machine. A transaction of type CAPTURE, SALE or REBILL holds the captured money and
moves with the refunds; an AUTHORIZATION moves with its capture or cancel and stays there; an
order moves with both."""

CHANGES_NOTHING = frozenset({Event.LATE_ANSWER, Event.CONTRADICTED})
"""Kept in the history of what is not pending any more; the state stays what it was."""


class IllegalTransition(Exception):
    """The table has no such pair: a bug, never an answer."""

    def __init__(self, state: State | None, event: Event) -> None:
        super().__init__(f"no transition from {state or 'nothing'} by {event}")
        self.state, self.event = state, event


def after(state: State | None, event: Event) -> State:
    """The state that follows.

    Raises:
        IllegalTransition: the pair is not in the table.
    """
    if event in CHANGES_NOTHING and state not in (None, State.PENDING):
        return state
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None


def sources_of(event: Event) -> tuple[State, ...]:
    """The states in which an event may happen: what a guarded statement may find."""
    return tuple(state for state, each in TRANSITIONS if each is event and state is not None)


IN_FLIGHT = (State.PENDING,)
"""The outcome is open."""

HOLDS_MONEY = (
    State.APPROVED,
    State.CAPTURED,
    State.PARTIALLY_SETTLED,
    State.PARTIALLY_REFUNDED,
    State.REFUNDED,
    State.CANCELLED,
)
"""The bank approved it, whatever came after."""

STATUS_OF_APPROVED: Mapping[TransactionType, str] = {
    TransactionType.AUTHORIZATION: "Authorised",
    TransactionType.SALE: "Purchased",
    TransactionType.CAPTURE: "Captured",
    TransactionType.REFUND: "Refunded",
    TransactionType.CANCEL: "Cancelled",
    TransactionType.REBILL: "Rebilled",
}

STATUS_OF_STATE: Mapping[State, str] = {
    State.PENDING: "Pending",
    State.DECLINED: "Declined",
    State.FAILED: "Failed",
    State.REVERSING: "Failed",
    State.REVERSED: "Reversed",
    State.CAPTURED: "Captured",
    State.PARTIALLY_SETTLED: "PARTIALLY_SETTLED",
    State.CANCELLED: "Cancelled",
    State.PARTIALLY_REFUNDED: "Partially Refunded",
    State.REFUNDED: "Refunded",
}


def public_status(transaction_type: TransactionType, state: State) -> str:
    """The word an enquiry shows. Source: wire contract, section 4."""
    if state is State.APPROVED:
        return STATUS_OF_APPROVED[transaction_type]
    return STATUS_OF_STATE[state]


def meanings_of_status(status: str) -> tuple[tuple[TransactionType | None, State], ...]:
    """The (type, state) pairs that show as this word, in any case of letters; None is any type.

    An unknown word has no meanings.
    """
    word = status.casefold()
    return (
        *(
            (kind, State.APPROVED)
            for kind, shown in STATUS_OF_APPROVED.items()
            if shown.casefold() == word
        ),
        *((None, state) for state, shown in STATUS_OF_STATE.items() if shown.casefold() == word),
    )


def order_statuses() -> tuple[str, ...]:
    """Every public word, once, in a stable order."""
    return tuple(dict.fromkeys((*STATUS_OF_APPROVED.values(), *STATUS_OF_STATE.values())))
