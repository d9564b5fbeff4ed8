"""The answers to `/orders` and `/export`: pages of rows, as published."""

from pydantic import Field

from netvalve.api.models.answer_fields import (
    ChannelName,
    Int32,
    Int64,
    PaymentTypeName,
    Timestamp,
    TransactionTypeName,
    WalletTypeName,
)
from netvalve.api.models.details import (
    BillingAddressDTO,
    ResultChargebackDataDTO,
    ShippingAddressDTO,
    SmartRoutingDTO,
    TokenDTO,
)
from netvalve.api.models.model import Schema


class SortObject(Schema):
    """How a list is sorted."""

    direction: str | None = None
    null_handling: str | None = None
    ascending: bool | None = None
    property: str | None = None
    ignore_case: bool | None = None


class PageableObject(Schema):
    """Which page of a list this is."""

    paged: bool | None = None
    unpaged: bool | None = None
    page_number: Int32 = None
    page_size: Int32 = None
    offset: Int64 = None
    sort: list[SortObject] | None = None


class ResultOrderDTO(Schema):
    """A row of the list of orders."""

    source_of_transaction: ChannelName = None
    id: Int64 = None
    amount: str | None = None
    created_date: Timestamp = None
    status: str | None = None
    account_name: str | None = None
    customer_email: str | None = None
    currency: str | None = None
    bank_name: str | None = None
    hpp_order_status: str | None = None
    client_order_id: str | None = None
    trace_id: str | None = None
    payment_type: PaymentTypeName = None
    wallet_type: WalletTypeName = None
    wallet_data: str | None = None


class ResultTransactionDTO(Schema):
    """A row of the list of transactions."""

    source_of_transaction: ChannelName = None
    id: Int64 = None
    amount: float | None = None
    currency: str | None = None
    order_id: str | None = None
    client_order_id: str | None = None
    transaction_type: TransactionTypeName = None
    transaction_reference: Int64 = None
    datetime: Timestamp = None
    account_name: str | None = None
    status: str | None = None
    customer_email: str | None = None
    response_code: str | None = None
    response_message: str | None = None
    response_code_type: str | None = None
    bank_response_code: str | None = None
    bank_response_message: str | None = None
    bank_name: str | None = None
    bank_transaction_id: str | None = None
    auth_code: str | None = None
    smart_routing: SmartRoutingDTO | None = None
    trace_id: str | None = None
    billing_details: BillingAddressDTO | None = None
    shipping_details: ShippingAddressDTO | None = None
    card_number: str | None = None
    card_type: str | None = None
    payment_type: PaymentTypeName = None
    wallet_type: WalletTypeName = None
    wallet_data: str | None = None
    settlement_status: str | None = None
    token_dto: TokenDTO | None = Field(None, alias="tokenDTO")
    chargeback_data: list[ResultChargebackDataDTO] | None = None
    charge_back_received: bool | None = None


class _Page(Schema):
    """What every page says of itself."""

    total_pages: Int32 = None
    total_elements: Int64 = None
    pageable: PageableObject | None = None
    number_of_elements: Int32 = None
    size: Int32 = None
    number: Int32 = None
    sort: list[SortObject] | None = None
    first: bool | None = None
    last: bool | None = None
    empty: bool | None = None


class PageResultOrderDTO(_Page):
    """A page of orders."""

    content: list[ResultOrderDTO] | None = None


class PageResultTransactionDTO(_Page):
    """A page of transactions."""

    content: list[ResultTransactionDTO] | None = None
