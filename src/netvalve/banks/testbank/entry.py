"""A line of the bank's book: what a message asked, what it was answered, what became of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from netvalve.domain.bank_message import BankOperation


class State(StrEnum):
    """What stands behind an entry now."""

    HELD = "HELD"
    """An authorization whose money, or a rest of it, waits for its capture."""
    CAPTURED = "CAPTURED"
    """A sale, a capture, or an authorization of which nothing is held any more."""
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"
    """A refund; what it was taken from stays captured, with its `refunded_minor` raised."""
    REVERSED = "REVERSED"
    REMEMBERED = "REMEMBERED"
    """A reversal of a message that never came: should it come, it is refused."""
    DECLINED = "DECLINED"


@dataclass(frozen=True, slots=True)
class Balance:
    """Money in minor units: held for a capture, captured, and given back of the captured."""

    held_minor: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0

    @property
    def refundable_minor(self) -> int:
        """What a refund may still take."""
        return self.captured_minor - self.refunded_minor

    def since(self, before: "Balance") -> "Balance":
        """The change from another balance to this one; its numbers may be negative."""
        return Balance(
            self.held_minor - before.held_minor,
            self.captured_minor - before.captured_minor,
            self.refunded_minor - before.refunded_minor,
        )


NOTHING: Final = Balance()


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as it is booked, its values in the order of the table's columns.

    The money of an order lies on its opening (authorization, sale or rebill), whichever of its
    entries a message names; the balance of every other entry is nought.
    """

    entry_id: int
    opening_id: int | None
    """The opening that owns the money; its own id on an opening, None where none was found."""
    booked_at_ms: int
    """Milliseconds since 1970-01-01 UTC."""
    acquirer_id: str
    terminal_id: str
    transmitted_at: str
    stan: str
    message_type: str
    """Of the first sending, so it ends in 0."""
    operation: BankOperation
    rrn: str
    currency: str
    """ISO 4217 letters."""
    asked_minor: int
    amount_minor: int
    """What was booked; what was asked for where nothing was."""
    card: str | None
    """First six, six stars, last four."""
    card_digest: bytes | None
    original_message_type: str | None
    original_stan: str | None
    original_transmitted_at: str | None
    original_acquirer_id: str | None
    response_code: str
    auth_code: str | None
    scheme_transaction_id: str | None
    verification: str | None
    """Field 44: AVS result, CVV2 result."""
    state: State
    held_minor: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0

    @property
    def balance(self) -> Balance:
        """The money that lies on this entry."""
        return Balance(self.held_minor, self.captured_minor, self.refunded_minor)
