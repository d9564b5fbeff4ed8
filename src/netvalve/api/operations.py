"""The operation table: routes and the OpenAPI document are both made from it.

Source: wire contract, sections 3 and 4, and the published description 2.15.5.
"""

from dataclasses import dataclass
from typing import Final

from netvalve.api.call import Handler
from netvalve.api.handlers import enquiries, export, payments
from netvalve.api.models.charge import BasicInputFieldsDTO
from netvalve.api.models.enquiry_answers import OrderOutputDTO, TransactionOutputDTO
from netvalve.api.models.follow_up import (
    CancelInputFieldsDTO,
    CaptureInputFieldsDTO,
    RebillInputFieldsDTO,
    RefundInputFieldsDTO,
)
from netvalve.api.models.inquiry import InquiryInputDTO, InquiryQuery
from netvalve.api.models.lists import PageResultOrderDTO, PageResultTransactionDTO
from netvalve.api.models.model import Request, Schema
from netvalve.api.models.payment_answer import TransactionResponseDTO
from netvalve.api.models.queries import (
    ExportQuery,
    OrderQuery,
    OrdersQuery,
    TransactionQuery,
)
from netvalve.domain.transaction import TransactionType

ANY: Final = "*/*"
"""The media type that the description gives the transactional answers; they are JSON."""
JSON: Final = "application/json"
TAG: Final = "Payment Service"
_CHARGE: Final = (
    "Of `midId`, `netvalveMidId` and `siteId` the first that is given is used, the others are not "
    "looked at. An approval shows `bankResponseCode` 00 and `SUCCESS` whichever approving value "
    "the bank chose; an approval of a part, which `additionalData.partialAuthorizationIndicator` "
    "asks for, shows the bank's own, with the `amount`."
)
_INQUIRY: Final = (
    "The answer that the request had, or should have had, with `amount` and `currency`. Beside "
    "`transactionId`, this gateway takes names that a client knows whose connection broke: "
    "`clientOrderId` alone names the transaction that opened the order, `idempotencyKey` the one "
    "that its request opened. One name is enough; several must agree. The header `Idempotency-Key` "
    "counts where none is given. While the outcome is unknown the answer waits a little for it, "
    "then it is `GTW_1002` with the header `Retry-After`: seconds until the bank is asked again."
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: how it is called, what it reads, what it answers, who does it."""

    method: str
    path: str
    operation_id: str
    summary: str
    answer: type[Schema]
    handler: Handler
    request: type[Request] | None = None
    query: type[Request] | None = None
    description: str = ""
    """What the published description leaves open; Markdown."""
    media_type: str = JSON
    tag: str = TAG
    moves_money: bool = False
    """Whether it takes an `Idempotency-Key`."""


OPERATIONS: Final = (
    Operation(
        "POST",
        "/sale",
        "saleOperation",
        "Sale",
        TransactionResponseDTO,
        payments.charge(TransactionType.SALE),
        request=BasicInputFieldsDTO,
        description=_CHARGE,
        media_type=ANY,
        moves_money=True,
    ),
    Operation(
        "POST",
        "/authorize",
        "authorizeOperation",
        "Authorize",
        TransactionResponseDTO,
        payments.charge(TransactionType.AUTHORIZATION),
        request=BasicInputFieldsDTO,
        description=_CHARGE,
        media_type=ANY,
        moves_money=True,
    ),
    Operation(
        "POST",
        "/capture",
        "captureOperation",
        "Capture",
        TransactionResponseDTO,
        payments.capture,
        request=CaptureInputFieldsDTO,
        media_type=ANY,
        moves_money=True,
    ),
    Operation(
        "POST",
        "/cancel",
        "cancelOperation",
        "Cancel",
        TransactionResponseDTO,
        payments.cancel,
        request=CancelInputFieldsDTO,
        media_type=ANY,
        moves_money=True,
    ),
    Operation(
        "POST",
        "/refund",
        "refundOperation",
        "Refund",
        TransactionResponseDTO,
        payments.refund,
        request=RefundInputFieldsDTO,
        media_type=ANY,
        moves_money=True,
    ),
    Operation(
        "POST",
        "/rebill",
        "rebillOperation",
        "Rebill",
        TransactionResponseDTO,
        payments.rebill,
        request=RebillInputFieldsDTO,
        media_type=ANY,
        moves_money=True,
    ),
    Operation(
        "GET",
        "/inquiry",
        "inquiry",
        "Query Transaction Status",
        TransactionResponseDTO,
        enquiries.inquiry,
        query=InquiryQuery,
        description=_INQUIRY,
        media_type=ANY,
    ),
    Operation(
        "POST",
        "/inquiry",
        "inquiryByBody",
        "Query Transaction Status by a body",
        TransactionResponseDTO,
        enquiries.posted_inquiry,
        request=InquiryInputDTO,
        description=_INQUIRY,
        media_type=ANY,
    ),
    Operation(
        "GET",
        "/transaction",
        "getTransactionById",
        "Get Transaction",
        TransactionOutputDTO,
        enquiries.transaction,
        query=TransactionQuery,
    ),
    Operation(
        "GET",
        "/order",
        "getOrderById",
        "Get Order",
        OrderOutputDTO,
        enquiries.order,
        query=OrderQuery,
        description=(
            "All names that are given must name the same order; `netvalveMidId` alone names the "
            "newest order of its account."
        ),
    ),
    Operation(
        "GET",
        "/orders",
        "exportOrders",
        "Get All Orders",
        PageResultOrderDTO,
        enquiries.orders,
        query=OrdersQuery,
    ),
    Operation(
        "GET",
        "/export",
        "exportTransactions",
        "Get All Transactions",
        PageResultTransactionDTO,
        export.export,
        query=ExportQuery,
        description=(
            "`Accept` chooses the form: a page as `application/json`, which is also what a "
            "wildcard gets, or the whole result as `text/csv` or `application/x-ndjson`."
        ),
    ),
)
