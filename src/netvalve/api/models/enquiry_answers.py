"""The answers to `/transaction` and `/order`, as published."""

from pydantic import Field

from netvalve.api.models.answer_fields import (
    ChannelName,
    Double,
    Int64,
    PaymentTypeName,
    TextMap,
    Texts,
    Timestamp,
    TransactionTypeName,
)
from netvalve.api.models.details import (
    AVSData,
    BillingAddressDTO,
    ClientFraudRulesTransactionDTO,
    CVVVerificationData,
    ResultChargebackDataDTO,
    ShippingAddressDTO,
    SmartRoutingDTO,
    TokenDTO,
    WalletDataDTO,
)
from netvalve.api.models.model import Schema
from netvalve.api.models.three_ds import ThreeDomainsSecureDTO


class TransactionShortOutputDTO(Schema):
    """A transaction within its order."""

    created_date: Timestamp = None
    transaction_type: TransactionTypeName = None
    amount: Double = None
    status: str | None = None
    settlement_status: str | None = None
    transaction_id: Int64 = None
    currency: str | None = None
    auth_code: str | None = None
    response_code: str | None = None
    response_message: str | None = None
    response_code_type: str | None = None
    bank_transaction_id: str | None = None
    bank_response_code: str | None = None
    bank_response_message: str | None = None
    allowed_actions: Texts = None
    transaction_reference: Int64 = None
    three_domains_secure_data: ThreeDomainsSecureDTO | None = None
    smart_routing_data: SmartRoutingDTO | None = None
    source_of_transaction: ChannelName = None
    billing_details: BillingAddressDTO | None = None
    shipping_details: ShippingAddressDTO | None = None
    token_dto: TokenDTO | None = Field(None, alias="tokenDTO")
    three_ds_transaction: bool | None = None
    smart_routing_transaction: bool | None = None


class _PaymentOutput(Schema):
    """What a transaction and an order show alike."""

    created_date: Timestamp = None
    status: str | None = None
    settlement_status: str | None = None
    issuer: str | None = None
    card_type: str | None = None
    issuer_country: str | None = None
    cardholder_name: str | None = None
    netvalve_id: str | None = Field(None, alias="netvalveID")
    client_order_id: str | None = None
    customer_email: str | None = None
    card_number: str | None = None
    brand: str | None = None
    user_id: Int64 = Field(None, alias="userID")
    payment_method: str | None = None
    payment_type: str | None = None
    ip_address: str | None = None
    response_code: str | None = None
    account_name: str | None = None
    descriptor: str | None = None
    auth_code: str | None = None
    bank_transaction_id: str | None = None
    response_message: str | None = None
    transactions: list[TransactionShortOutputDTO] | None = None
    currency: str | None = None
    avs_data: AVSData | None = None
    cvv_verification_data: CVVVerificationData | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    ip: str | None = None
    email: str | None = None
    address: str | None = None
    phone: str | None = None
    city: str | None = None
    state: str | None = None
    country_code: str | None = None
    zip_code: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None
    failed_url: str | None = None
    pending_url: str | None = None
    three_domains_secure_data: ThreeDomainsSecureDTO | None = None
    smart_routing: SmartRoutingDTO | None = None
    source_of_transaction: ChannelName = None
    billing_details: BillingAddressDTO | None = None
    shipping_details: ShippingAddressDTO | None = None
    transaction_referenced_list: list[TransactionShortOutputDTO] | None = None
    transaction_type: TransactionTypeName = None
    response_code_type: str | None = None
    bank_response_code: str | None = None
    bank_response_message: str | None = None
    allowed_actions: Texts = None
    transaction_reference: Int64 = None
    order_id: Int64 = None
    payment_type_enum: PaymentTypeName = None
    wallet_data_dto: WalletDataDTO | None = Field(None, alias="walletDataDTO")
    bank_name: str | None = None
    refund_balanced_amount: float | None = None
    is_fraud_transaction: bool | None = None
    client_fraud_rules_transaction: ClientFraudRulesTransactionDTO | None = None
    chargeback_data: list[ResultChargebackDataDTO] | None = None
    card_expiry_month: str | None = None
    card_expiry_year: str | None = None
    token_dto: TokenDTO | None = Field(None, alias="tokenDTO")
    three_ds_transaction: bool | None = None
    smart_routing_transaction: bool | None = None
    is_partial_refund: bool | None = None
    is_partial_refund_allowed: bool | None = None


class TransactionOutputDTO(_PaymentOutput):
    """A transaction with its order, card and customer."""

    amount: float | None = None


class OrderOutputDTO(_PaymentOutput):
    """An order with its transactions, card and customer."""

    amount_and_currency: str | None = None
    order_amount: float | None = None
    last_updated_date: Timestamp = None
    hpp_order_status: str | None = None
    order_desc: str | None = None
    additional_parameters: TextMap = None
