"""The query parameters of the enquiries."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, PlainValidator, WithJsonSchema

from netvalve.api.models import rules
from netvalve.api.models.fields import Flag, Identifier, TransactionId
from netvalve.api.models.model import Request
from netvalve.domain.refusal import FieldError
from netvalve.domain.search import PAGE_SIZE_MAX

_INT32 = WithJsonSchema({"type": "integer", "format": "int32"})
_STRING = WithJsonSchema({"type": "string"})

PAGE_SIZE: int = 20
"""Rows of a page where the request does not say."""

PageNumber = Annotated[int, PlainValidator(rules.between(0, 2**31 - 1)), _INT32]
PageSize = Annotated[int, PlainValidator(rules.between(1, PAGE_SIZE_MAX)), _INT32]
Name = Annotated[str | None, PlainValidator(rules.optional_text), _STRING]
Filters = Annotated[
    object,
    PlainValidator(rules.anything),
    WithJsonSchema({"type": "object"}),
]


class TransactionQuery(Request):
    """Which transaction, and how much of it."""

    id: TransactionId
    collect_billing_info: Flag = False
    collect_shipping_info: Flag = False


class OrderQuery(Request):
    """Which order, by any of its names, and how much of it."""

    id: Identifier | None = None
    order_id: Identifier | None = None
    """The same as `id`, which deployed clients send."""
    client_order_id: Name = None
    netvalve_mid_id: Name = None
    transaction_id: Identifier | None = None
    collect_billing_info: Flag = False
    collect_shipping_info: Flag = False

    @classmethod
    def across(cls, raw: Mapping[str, Any]) -> Iterator[FieldError]:
        """An order has to be named."""
        names = ("id", "orderId", "clientOrderId", "netvalveMidId", "transactionId")
        if not any(name in raw for name in names):
            yield FieldError("id", rules.INVALID)


class OrdersQuery(Request):
    """Which page; the filters are read by `filters`."""

    # Published as required, yet a listing without them is a listing of everything.
    model_config = ConfigDict(json_schema_extra={"required": ["filters", "page", "pageSize"]})

    filters: Filters = None
    page: PageNumber = 0
    page_size: PageSize = PAGE_SIZE


class ExportQuery(OrdersQuery):
    """Which page, and how much of each row."""

    collect_billing_info: Flag = False
    collect_shipping_info: Flag = False
