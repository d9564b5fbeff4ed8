"""The names by which an inquiry finds a transaction, in a query or in a body."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, PlainValidator, WithJsonSchema

from netvalve.api.models import rules
from netvalve.api.models.fields import MISSING, TransactionId
from netvalve.api.models.model import Request, wire_names
from netvalve.domain.refusal import FieldError

Name = Annotated[
    str | None, PlainValidator(rules.optional_text), WithJsonSchema({"type": "string"})
]


class _Names(Request):
    """Which transaction, by any of its names."""

    transaction_id: TransactionId | None = None
    client_order_id: Name = None
    """Of the order that it opened; beside another name, of its order."""
    idempotency_key: Name = None
    """Of the request that it came by."""

    @classmethod
    def across(cls, raw: Mapping[str, Any]) -> Iterator[FieldError]:
        """A transaction has to be named."""
        if not any(name in raw for name in wire_names(cls)):
            yield FieldError("transactionId", MISSING["transactionId"])


class InquiryQuery(_Names):
    """Which transaction."""

    # Published as required, yet who has lost the answer knows another name.
    model_config = ConfigDict(json_schema_extra={"required": ["transactionId"]})


class InquiryInputDTO(_Names):
    """Ask for the result of a transaction: `POST /inquiry`, as deployed clients do."""
