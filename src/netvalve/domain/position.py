"""A transaction as it is compared with a bank's book."""

from dataclasses import dataclass

from netvalve.catalogue.currencies import currency
from netvalve.domain.lifecycle import HOLDS_MONEY, State
from netvalve.domain.money import major_text
from netvalve.domain.transaction import OPENERS, TransactionType


@dataclass(frozen=True, slots=True)
class Position:
    """One transaction, with what its order's balance says."""

    transaction_id: int
    rrn: str
    terminal_id: str
    type: TransactionType
    state: State
    currency: str
    amount_minor: int
    """What was approved, where that is less than was asked."""
    opened_at_ms: int
    order_captured_minor: int
    order_refunded_minor: int
    order_updated_at_ms: int
    """When anything last happened to its order."""
    order_in_flight: bool
    """Whether a transaction of the order is pending: the bank may be ahead."""

    @property
    def opens(self) -> bool:
        """Whether it opened its order and the money of the order lies on it."""
        return self.type in OPENERS

    @property
    def approved(self) -> bool:
        """Whether the bank approved it, whatever came after."""
        return self.state in HOLDS_MONEY

    @property
    def text(self) -> str:
        """`SALE PARTIALLY_REFUNDED 12.00 USD, order captured 12.00, refunded 2.00`."""
        money = currency(self.currency)
        text = f"{self.type} {self.state} {major_text(self.amount_minor, money)} {money.code}"
        if not (self.opens and self.approved):
            return text
        captured = major_text(self.order_captured_minor, money)
        refunded = major_text(self.order_refunded_minor, money)
        return f"{text}, order captured {captured}, refunded {refunded}"
