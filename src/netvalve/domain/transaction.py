"""Transactions: the identity of their message to the bank, their outcome, the record as kept."""

from dataclasses import dataclass

from netvalve.domain.lifecycle import State
from netvalve.domain.transaction_type import CHARGES, OPENERS, TransactionType

__all__ = ["CHARGES", "OPENERS", "MessageIdentity", "Outcome", "Transaction", "TransactionType"]


@dataclass(frozen=True, slots=True)
class MessageIdentity:
    """What makes a message to a bank itself, in every repeat of it.

    Durable before the first byte leaves. Strings with their zeros kept.
    """

    transmitted_at: str
    """ISO 8583 field 7: MMDDhhmmss, UTC."""
    stan: str
    """Field 11: six digits."""
    rrn: str
    """Field 37: YDDDHH and six digits; shown as bankTransactionId."""
    terminal_id: str
    """Field 41: eight characters."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a transaction ended, as the merchant is told."""

    response_code: str
    """GTW_… or BNK_…; the message and the type follow from it."""
    bank_response_code: str | None = None
    """Field 39 as the bank sent it."""
    auth_code: str | None = None
    """Field 38."""
    scheme_transaction_id: str | None = None
    """The card scheme's own id, sent again with every rebill."""
    avs_result: str | None = None
    cvv2_result: str | None = None
    approved_minor: int | None = None
    """What the bank approved, where that is less than was asked."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction as it stands in the store."""

    transaction_id: int
    order_id: int
    client_id: int
    mid_id: int
    type: TransactionType
    state: State
    amount_minor: int
    currency: str
    identity: MessageIdentity
    trace_id: str
    opened_at_ms: int
    """Milliseconds since 1970-01-01 UTC."""
    parent_id: int | None = None
    """The transaction named by the request, shown as transactionReference."""
    closed_at_ms: int | None = None
    outcome: Outcome | None = None
    """None while pending."""
    final_capture: bool = False
