"""The steps that are kept in a transaction's history: what a stored message brings, on any store.

A store adds the transaction's number, the place in its history and the node that wrote it.
"""

from dataclasses import dataclass
from typing import Final

from netvalve.domain.journal import StoredMessage
from netvalve.domain.lifecycle import Event, State, after
from netvalve.domain.transaction import MessageIdentity
from netvalve.storage.guards import GUARDS
from netvalve.storage.history_details import by_hand

_ANSWER_TO_REVERSAL: Final = "0430"


@dataclass(frozen=True, slots=True)
class Step:
    """What happened and the state it left; `identity` and `mti` are of the message it came by."""

    event: Event
    state: State
    at_ms: int
    mti: str | None = None
    identity: MessageIdentity | None = None
    response_code_39: str | None = None
    detail: str | None = None

    def columns(self, node: str) -> tuple[object, ...]:
        """Its part of a row of `events`: what follows the transaction and the place."""
        identity = self.identity
        message = (
            (None,) * 4
            if identity is None
            else (identity.transmitted_at, identity.stan, identity.rrn, identity.terminal_id)
        )
        happened = (self.event, self.state, self.at_ms, node, self.mti)
        return (*happened, *message, self.response_code_39, self.detail)


def acknowledged(message: StoredMessage, at_ms: int, response_code_39: str | None) -> Step:
    """What it is about is undone: the bank has said so or, without a field 39, an operator."""
    event = Event.REVERSAL_ACKNOWLEDGED
    state = GUARDS[event].target
    if response_code_39 is None:
        return Step(event, state, at_ms, detail=by_hand(_reason(message)))
    identity = message.forward.identity
    return Step(event, state, at_ms, _ANSWER_TO_REVERSAL, identity, response_code_39)


def approved_late(message: StoredMessage, at_ms: int, response_code_39: str) -> Step:
    """What is being, or has been, reversed was approved.

    The approval may have come as 0110 or 0210; the transaction's first event tells which.
    """
    event = Event.LATE_APPROVAL
    return Step(
        event,
        GUARDS[event].target,
        at_ms,
        identity=message.transaction.identity,
        response_code_39=response_code_39,
    )


def answered_late(
    message: StoredMessage, state: State, at_ms: int, response_code_39: str, *, contradicts: bool
) -> Step:
    """What has ended in this state was answered; an operator may have said otherwise."""
    event = Event.CONTRADICTED if contradicts else Event.LATE_ANSWER
    return Step(
        event,
        after(state, event),
        at_ms,
        identity=message.transaction.identity,
        response_code_39=response_code_39,
    )


def _reason(message: StoredMessage) -> str:
    if message.resolution is None:
        raise ValueError(f"neither a bank nor an operator has ended {message.forward}")
    return message.resolution.reason
