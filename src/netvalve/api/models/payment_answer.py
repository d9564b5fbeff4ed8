"""The answer to sale, authorize, capture, refund, cancel, rebill and inquiry, as published."""

from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from netvalve.api.models.answer_fields import (
    ChannelName,
    Int64,
    Timestamp,
    TokenTypeName,
    TransactionTypeName,
)
from netvalve.api.models.fields import enumeration
from netvalve.api.models.model import Schema

THREE_DS_STATUSES: Final = (
    "INITIALIZED",
    "INITIALIZATION_FAILED",
    "AUTHENTICATED",
    "AUTHENTICATION_FAILED",
    "DEVICE_DATA_COLLECTED",
    "ACS_REQUIRED",
    "ACS_COMPLETED",
    "ACS_FAILED",
    "COMPLETED",
    "RESULT_FAILED",
)
ORDER_STATES: Final = (
    "CREATED",
    "READY_TO_PAY",
    "PENDING",
    "PAID",
    "DECLINED",
    "EXPIRED",
    "AWAIT_3DS",
)
ThreeDSStatus = Annotated[str | None, WithJsonSchema(enumeration(THREE_DS_STATUSES))]
OrderState = Annotated[str | None, WithJsonSchema(enumeration(ORDER_STATES))]


class TokenExSuccessfulDTO(Schema):
    """Whether a token provider kept the card."""

    token_ex_successful: bool | None = None


class WalletInitializeSessionResponseDTO(Schema):
    """The session of a wallet."""

    status: str | None = None
    data: str | None = None


class ResultThreeDSTransactionResponseDTO(Schema):
    """What came of a 3-D Secure step."""

    trace_id: str | None = Field(None, alias="traceID")
    response_timestamp: Timestamp = None
    trans_id: str | None = Field(None, alias="transID")
    reference_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    three_ds2_transaction_id: str | None = None
    eci: str | None = None
    cavv: str | None = None
    challenge_required: bool | None = None
    jwt: str | None = None
    redirect_url: str | None = None
    status: ThreeDSStatus = None
    three_ds_version: str | None = None
    provider_redirect_url: str | None = None
    merchant_redirect_url: str | None = None
    provider: str | None = None
    provider_transaction_id: str | None = None
    netvalve_call_back_url: str | None = None
    auth_type: str | None = None


class TransactionResponseDTO(Schema):
    """The answer to every transactional operation."""

    trace_id: str | None = Field(None, alias="traceID")
    response_timestamp: Timestamp = None
    order_id: Int64 = None
    transaction_id: Int64 = Field(None, alias="transactionID")
    response_code: str | None = None
    response_message: str | None = None
    response_code_type: str | None = None
    bank_response_code: str | None = None
    bank_response_message: str | None = None
    order_state: OrderState = None
    redirect_url: str | None = None
    merchant_name: str | None = None
    client_id: Int64 = None
    is_retry_allowed: bool | None = None
    three_ds_provider_response: ResultThreeDSTransactionResponseDTO | None = Field(
        None, alias="threeDSProviderResponse"
    )
    payment_method: str | None = None
    card_number: str | None = None
    card_type: str | None = None
    bank_transaction_id: str | None = None
    auth_code: str | None = None
    mid_id: Int64 = None
    netvalve_mid_id: str | None = None
    hpp_i_frame_supported: bool | None = None
    token: str | None = None
    token_ex_successful_dto: TokenExSuccessfulDTO | None = Field(None, alias="tokenExSuccessfulDTO")
    payment_attempted: bool | None = None
    payment_channel_type: ChannelName = None
    card_expiry_month: str | None = None
    card_expiry_year: str | None = None
    site_id: str | None = None
    payment_token: str | None = None
    payment_token_type: TokenTypeName = None
    transaction_type: TransactionTypeName = None
    wallet_initialize_session_response_dto: WalletInitializeSessionResponseDTO | None = Field(
        None, alias="walletInitializeSessionResponseDTO"
    )
