"""Orders: the merchant's purchase, its card, its customer and the one balance that counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from netvalve.domain.card import masked
from netvalve.domain.lifecycle import State
from netvalve.domain.transaction import TransactionType


@dataclass(frozen=True, slots=True)
class Customer:
    """Who pays, as the merchant sent it."""

    first_name: str | None = None
    last_name: str | None = None
    address: str | None = None
    zip_code: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    phone: str | None = None
    email: str | None = None
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class ThreeDS:
    """The result of a 3-D Secure authentication that comes with a payment."""

    eci: str | None = None
    cavv: str | None = None
    ds_transaction_id: str | None = None
    version: str | None = None
    xid: str | None = None
    status: str | None = None
    cavv_algorithm: str | None = None
    provider: str | None = None
    master_card_dsrp: str | None = None
    verify_transaction_id: str | None = None
    frictionless: bool | None = None


@dataclass(frozen=True, slots=True)
class CardOnOrder:
    """What is kept and shown of the order's card; the number lies in the vault."""

    card_id: int
    first_six: str
    last_four: str
    brand: str
    expiry_month: str
    expiry_year: str
    holder_name: str | None = None

    @property
    def masked(self) -> str:
        """`401200******5439`."""
        return masked(self.first_six, self.last_four)


@dataclass(frozen=True, slots=True)
class Details:
    """What the merchant sent with the order beside money and card; kept and shown, never judged."""

    customer: Customer = Customer()
    three_ds: ThreeDS | None = None
    description: str | None = None
    descriptor: str | None = None
    """The dynamic descriptor; None where the account's own is used."""
    payment_type: str = "CARD"
    wallet_type: str | None = None
    source: str = "API"
    """The API's PaymentChannelType."""
    additional_data: Mapping[str, object] = field(default_factory=dict)
    additional_parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Balance:
    """The order's money, in minor units. What may still happen follows from it alone."""

    authorised_minor: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0
    reserved_minor: int = 0
    """Taken by a refund in flight."""

    @property
    def refundable_minor(self) -> int:
        """What a refund may still take."""
        return self.captured_minor - self.refunded_minor - self.reserved_minor


@dataclass(frozen=True, slots=True)
class Order:
    """One order as it stands in the store."""

    order_id: int
    client_id: int
    mid_id: int
    type: TransactionType
    """The type of the transaction that opened it."""
    state: State
    currency: str
    amount_minor: int
    balance: Balance
    card: CardOnOrder
    trace_id: str
    created_at_ms: int
    updated_at_ms: int
    opening_id: int
    """The transaction that opened it."""
    charge_id: int | None = None
    """The transaction that holds the captured money."""
    in_flight_id: int | None = None
    """The transaction whose outcome is open; no second one may begin."""
    client_order_id: str | None = None
    site_id: str | None = None
    expires_at_ms: int | None = None
    """When an authorization that was not captured is cancelled; None: never by the gateway."""
    details: Details = Details()
