"""Parts that the answers of enquiries share, as published."""

from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from netvalve.api.models.answer_fields import (
    AddressLine,
    CountryCode,
    Int32,
    Int64,
    Region,
    Timestamp,
    ZipCode,
)
from netvalve.api.models.fields import enumeration
from netvalve.api.models.model import Schema

CHARGEBACK_TYPES: Final = (
    "ETHOCA",
    "RDR",
    "VERIFY",
    "TC40",
    "INFORM",
    "FRAUD",
    "CHARGEBACK",
)
ChargebackType = Annotated[str | None, WithJsonSchema(enumeration(CHARGEBACK_TYPES))]


class AVSData(Schema):
    """The result of address verification, with its meaning."""

    code: str | None = None
    description: str | None = None


class CVVVerificationData(Schema):
    """The result of the check of the security code, with its meaning."""

    code: str | None = None
    description: str | None = None


class BillingAddressDTO(Schema):
    """Where the card holder is billed."""

    billing_address: AddressLine = None
    billing_zip_code: ZipCode = None
    billing_city: AddressLine = None
    billing_state: Region = None
    billing_country_code: CountryCode = None
    address_identifier: str | None = None


class ShippingAddressDTO(Schema):
    """Where the goods go."""

    shipping_address: AddressLine = None
    shipping_zip_code: ZipCode = None
    shipping_city: AddressLine = None
    shipping_state: Region = None
    shipping_country_code: CountryCode = None
    address_identifier: str | None = None


class ClientFraudRulesTransactionDTO(Schema):
    """The fraud rule that a transaction met."""

    id: Int32 = None
    transaction_id: Int64 = None
    client_id: Int64 = None
    mid_id: Int64 = None
    rule_code: str | None = None
    created_datetime: Timestamp = None


class ResultChargebackDataDTO(Schema):
    """A chargeback or its alert."""

    chargeback_status: bool | None = None
    chargeback_transaction_type: ChargebackType = None
    chargeback_date: Timestamp = None
    chargeback_transaction_id: Int64 = None
    cb_alert_id: str | None = None
    chargeback_data: str | None = None


class SmartRoutingDTO(Schema):
    """The routing rule that chose the account."""

    site_id: str | None = None
    site_name: str | None = None
    rule_id: str | None = None
    primary_mid: Int64 = None
    retry_mid: Int64 = None
    primary_mid_id: str | None = None
    primary_mid_name: str | None = None
    retry_mid_id: str | None = None
    retry_mid_name: str | None = None
    transaction_processing_mid: str | None = None
    rule_date_time: Timestamp = None
    client_id: Int64 = None
    trace_id: str | None = Field(None, alias="traceID")


class TokenDTO(Schema):
    """A saved card."""

    tokenized_card_id: Int64 = None
    payment_token: str | None = None
    payment_token_type: str | None = None


class WalletDataDTO(Schema):
    """What a wallet told of its card."""

    mapping_id: Int64 = None
    transaction_id: Int64 = None
    wallet_type: str | None = None
    pan: str | None = None
    pan_type: str | None = None
    auth_method: str | None = None
    eci: str | None = None
    cryptogram: str | None = None
    card_summary: str | None = None
    service: str | None = None
    created_datetime: Timestamp = None
