"""What is said to a bank and the three ways it can end: answered, not sent, no answer."""

from dataclasses import dataclass, field
from enum import StrEnum

from netvalve.catalogue.currencies import Currency
from netvalve.domain.card import Card
from netvalve.domain.order import Customer, ThreeDS
from netvalve.domain.transaction import MessageIdentity


class BankOperation(StrEnum):
    """What the bank is asked to do."""

    AUTHORIZE = "AUTHORIZE"
    SALE = "SALE"
    REBILL = "REBILL"
    CAPTURE = "CAPTURE"
    REFUND = "REFUND"
    CANCEL = "CANCEL"
    REVERSAL = "REVERSAL"


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who asks, as the bank knows it."""

    merchant_id: str
    """Field 42, at most 15 characters."""
    descriptor: str
    mcc: str
    country: str
    """ISO 3166 alpha-2."""


@dataclass(frozen=True, slots=True)
class OriginalMessage:
    """The message that a capture, refund, cancel or reversal is about (field 90)."""

    operation: BankOperation
    identity: MessageIdentity
    auth_code: str | None = None


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """How a card on file is used: by the card holder (CIT) or by the merchant (MIT)."""

    initiator: str
    """`CIT` or `MIT`."""
    schedule: str | None = None
    """The API's recurringScheduleType, e.g. MIT_UNSCHEDULED_COF."""
    transaction_type: str | None = None
    """The API's requestTransactionType, e.g. RECURRING."""
    recurrence: str | None = None
    """`Initial` or `Repeated`."""
    scheme_transaction_id: str | None = None
    """The scheme's id of the first approval; goes with every rebill."""


@dataclass(frozen=True, slots=True)
class BankRequest:
    """One message to a bank, whole: a repeat of it differs in `repeat` alone."""

    operation: BankOperation
    identity: MessageIdentity
    amount_minor: int
    currency: Currency
    merchant: Merchant
    card: Card | None = None
    original: OriginalMessage | None = None
    customer: Customer = field(default_factory=Customer)
    three_ds: ThreeDS | None = None
    stored_credential: StoredCredential | None = None
    final_capture: bool = False
    partial_approval_allowed: bool = False
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The bank answered this very message."""

    response_code: str
    """Field 39, two characters."""
    amount_minor: int | None = None
    """Field 4; None where the answer carries none."""
    currency_number: str | None = None
    """Field 49, three digits."""
    auth_code: str | None = None
    rrn: str | None = None
    scheme_transaction_id: str | None = None
    avs_result: str | None = None
    cvv2_result: str | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely not a byte of it left."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """From the first byte handed to the socket on nobody knows what the bank did."""

    reason: str


BankOutcome = Answered | NotSent | NoAnswer
