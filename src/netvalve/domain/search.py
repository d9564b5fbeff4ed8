"""What an enquiry may filter by and the page it answers with."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from netvalve.domain.transaction import TransactionType

Row = TypeVar("Row")

PAGE_SIZE_MAX = 1000


@dataclass(frozen=True, slots=True)
class Search:
    """Filters of /orders and /export; None does not filter. All given filters must hold.

    Texts compare in any case of letters where `…_like` says so, else exactly.
    Source: the API's SearchFilterDTO.
    """

    client_id: int
    from_ms: int | None = None
    to_ms: int | None = None
    """Inclusive at both ends."""
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    first_six: str | None = None
    last_four: str | None = None
    bin: str | None = None
    """First digits of the card, at most six are known."""
    order_id: int | None = None
    transaction_id: int | None = None
    transaction_reference_id: int | None = None
    order_status: str | None = None
    transaction_status: str | None = None
    transaction_types: tuple[TransactionType, ...] = ()
    mid_id: int | None = None
    site_id: str | None = None
    sites: tuple[str, ...] = ()
    """Any of these site ids."""
    netvalve_mid_id: str | None = None
    client_order_id: str | None = None
    card_type: str | None = None
    currency: str | None = None
    country: str | None = None
    descriptor: str | None = None
    amount_min: str | None = None
    amount_max: str | None = None
    """Major units as decimal text: each row's currency says what that is in minor units."""
    bank_id: int | None = None
    trace_id: str | None = None
    payment_type: str | None = None
    wallet_type: str | None = None
    three_ds: bool | None = None
    auth_code: str | None = None
    rrn: str | None = None
    scheme_transaction_id: str | None = None
    source: str | None = None
    only_settled: bool = False
    """Only rows whose money was captured."""


class SearchTooBroad(Exception):
    """What a search finds cannot be counted in time: it has to say more."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which slice of the newest-first list."""

    number: int
    """From 0."""
    size: int
    """1 to PAGE_SIZE_MAX."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """A slice and the exact count of the whole."""

    rows: tuple[Row, ...]
    total: int
    request: PageRequest
