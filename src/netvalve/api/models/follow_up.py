"""The bodies that name an earlier transaction: capture, refund, cancel, rebill."""

from pydantic import Field

from netvalve.api.models.additional_data import AdditionalDataDTO
from netvalve.api.models.fields import Amount, ClientOrderId, Flag, TransactionId
from netvalve.api.models.model import Request


class CaptureOptionsDTO(Request):
    """How a capture is meant."""

    final_capture: Flag | None = None


class CaptureInputFieldsDTO(Request):
    """Take what was authorised, or a last part of it."""

    amount: Amount
    transaction_id: TransactionId = Field(alias="transactionID")
    additional_data: AdditionalDataDTO | None = None
    capture_options: CaptureOptionsDTO | None = None


class RefundInputFieldsDTO(Request):
    """Give back an amount, or all that remains."""

    transaction_id: TransactionId = Field(alias="transactionID")
    amount: Amount | None = None
    additional_data: AdditionalDataDTO | None = None


class CancelInputFieldsDTO(Request):
    """Let an authorization go."""

    transaction_id: TransactionId = Field(alias="transactionID")
    additional_data: AdditionalDataDTO | None = None


class RebillInputFieldsDTO(Request):
    """Charge the card of an earlier payment again."""

    amount: Amount
    client_order_id: ClientOrderId = None
    transaction_id: TransactionId = Field(alias="transactionID")
    additional_data: AdditionalDataDTO | None = None
