"""What a merchant asks for, once its fields are known to be good: the pipeline's input.

A command knows nothing of HTTP and nothing of the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from netvalve.catalogue.currencies import Currency
from netvalve.domain.card import Card
from netvalve.domain.order import Details
from netvalve.domain.transaction import TransactionType


@dataclass(frozen=True, slots=True)
class AccountSelector:
    """The names by which a payment may choose its merchant account; None where not sent."""

    mid_id: int | None = None
    netvalve_mid_id: str | None = None
    site_id: str | None = None
    """Looked at only where neither of the others was sent."""


@dataclass(frozen=True, slots=True)
class ChargeCommand:
    """A sale or an authorize."""

    type: TransactionType
    """SALE or AUTHORIZATION."""
    account: AccountSelector
    amount_minor: int
    currency: Currency
    card: Card
    card_holder_name: str | None = None
    client_order_id: str | None = None
    details: Details = field(default_factory=Details)
    has_payment_token: bool = False


@dataclass(frozen=True, slots=True)
class FollowUpCommand:
    """A capture, cancel or refund of what an earlier transaction opened."""

    type: TransactionType
    """CAPTURE, CANCEL or REFUND."""
    transaction_id: int
    amount: Decimal | None = None
    """Major units: the parent's currency says what that is in minor units. None: all there is."""
    final_capture: bool = False
    reason: str | None = None
    """Why the gateway itself asks for it, for the history; None where a merchant does."""


@dataclass(frozen=True, slots=True)
class RebillCommand:
    """A charge of the card of an earlier sale or authorization, initiated by the merchant."""

    transaction_id: int
    amount: Decimal
    """Major units of the parent's currency."""
    client_order_id: str | None = None
    additional_data: Mapping[str, object] = field(default_factory=dict)
