"""What the journal is asked to write: openings before the wire, closings after it.

Both are whole: one item is one atomic change, made or refused by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from netvalve.domain.card import SealedCard
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.order import CardOnOrder, Details, Order
from netvalve.domain.transaction import MessageIdentity, Outcome, Transaction, TransactionType


class StoreUnavailable(Exception):
    """The store cannot take a write now. Surely nothing of it was written."""


class StoreUncertain(Exception):
    """The store broke while committing: the write may or may not be there. Look it up."""


@dataclass(frozen=True, slots=True)
class NewOrder:
    """The order that an authorize, sale or rebill opens."""

    order: Order
    sealed_card: SealedCard
    """Written unless the client's vault holds the card already; then the order takes that row."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A turn on an existing order, taken in one conditional statement.

    Granted only while nothing of the order is in flight, its state is one of `states`, at least
    `capture_minor` is authorised and at least `refund_minor` is refundable.
    """

    order_id: int
    client_id: int
    states: tuple[State, ...]
    capture_minor: int = 0
    refund_minor: int = 0


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A merchant's own key for one request, and what the request said, in digests.

    The same key with the same digests is the same request once more.
    """

    client_id: int
    key: str
    operation: str
    """The operation's path."""
    digests: Mapping[str, str]
    """By field: keyed, so that nobody who reads the store can try values."""
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class KeyedTransaction:
    """What a merchant's key has opened, as it stands."""

    keyed: KeyedRequest
    transaction: Transaction
    order: Order


@dataclass(frozen=True, slots=True)
class Opening:
    """A transaction about to be sent to the bank, in state PENDING, with its message's identity."""

    transaction: Transaction
    new_order: NewOrder | None = None
    claim: Claim | None = None
    mti: str = ""
    """Message type of the first sending, for the event row."""
    keyed: KeyedRequest | None = None
    keys_since_ms: int = 0
    """Keys created before this have ended: one that `keyed` uses again is its from now on."""
    detail: str | None = None
    """Why the gateway itself opened it, for the history; None where the merchant asked."""


class OpeningRefusal(StrEnum):
    """Why nothing was written for an opening."""

    DUPLICATE_CLIENT_ORDER = "DUPLICATE_CLIENT_ORDER"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    """The idempotency key has opened another transaction."""
    WITHDRAWN = "WITHDRAWN"
    """Its merchant has been told that nothing was begun."""
    IN_FLIGHT = "IN_FLIGHT"
    """Another transaction of the order is in flight: wait and try again."""
    GUARD = "GUARD"
    """The order has moved on: read it again and decide again."""


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """What a closing adds to the order's balance, in minor units; negative takes away."""

    authorised_minor: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0
    reserved_minor: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """A related transaction moves along: the authorization that was captured, for example."""

    transaction_id: int
    event: Event


class ForwardKind(StrEnum):
    """What is stored to be sent until the bank answers."""

    REVERSAL = "REVERSAL"
    REPEAT = "REPEAT"


PAUSE_MAX_MS = 3_600_000
"""No stored message waits longer for its next attempt."""


@dataclass(frozen=True, slots=True)
class Forward:
    """A message to be sent again and again until the bank has answered it."""

    kind: ForwardKind
    transaction_id: int
    bank_id: int
    next_attempt_at_ms: int
    identity: MessageIdentity
    """The stored message's own, in every sending of it; a repeat's is its transaction's."""
    original_rrn: str
    """Under which a late answer to the transaction's own message would come."""


class ResolvedAs(StrEnum):
    """How an operator ends by hand what no bank's answer ends."""

    REVERSED = "reversed"
    """Of a charge that is being reversed: the card holder has the money back."""
    APPROVED = "approved"
    """Of a capture, refund or cancel that is pending: the bank has done it."""
    DECLINED = "declined"
    """Of the same: the bank has not done it and will not."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """An operator's word about a stored message, with the reason."""

    as_: ResolvedAs
    reason: str


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A forward that waits for its bank, with what it is about."""

    forward: Forward
    attempts: int
    transaction: Transaction
    order: Order
    refused_39: str | None = None
    """What the bank last answered where it will not do what it is told."""
    resolution: Resolution | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """The end (or, for REPEATED, the continued wait) of a pending transaction.

    Takes effect only while the transaction is PENDING and owned by the epoch that opened it.
    """

    transaction_id: int
    order_id: int
    event: Event
    at_ms: int
    outcome: Outcome | None
    """None where the transaction stays pending."""
    answer_mti: str | None = None
    response_code_39: str | None = None
    """Field 39 as the bank sent it, for the history; the outcome may show none of it."""
    reason: str | None = None
    """An operator's, where the closing is by hand; for the history."""
    identity: MessageIdentity | None = None
    """Of the answer, for the history; None where nobody answered."""
    order_event: Event | None = None
    """What happens to the order, through the same table."""
    ends_turn: bool = True
    """Whether the next operation of the order may begin."""
    balance: BalanceChange = BalanceChange()
    charge_id: int | None = None
    """The transaction that holds the captured money from now on."""
    moves: tuple[Move, ...] = ()
    forward: Forward | None = None
    recorded: Transaction | None = None
    """A transaction that comes with this one and is never sent: the CANCEL of a released rest."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One row of a transaction's history, as an operator reads it."""

    transaction_id: int
    sequence: int
    event: Event
    state: State
    at_ms: int
    node: str
    mti: str | None = None
    identity: MessageIdentity | None = None
    response_code_39: str | None = None
    detail: str | None = None


__all__ = [
    "BalanceChange",
    "CardOnOrder",
    "Claim",
    "Closing",
    "Details",
    "Forward",
    "ForwardKind",
    "HistoryEntry",
    "KeyedRequest",
    "KeyedTransaction",
    "Move",
    "NewOrder",
    "Opening",
    "OpeningRefusal",
    "Resolution",
    "ResolvedAs",
    "StoreUnavailable",
    "StoreUncertain",
    "StoredMessage",
    "TransactionType",
]
