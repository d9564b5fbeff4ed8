"""The types of answers' fields, as they are published. Answers are built by `answers`."""

from typing import Annotated

from pydantic import WithJsonSchema

from netvalve.api.models.fields import (
    CHANNELS,
    PAYMENT_TYPES,
    TOKEN_TYPES,
    TRANSACTION_TYPES,
    WALLET_TYPES,
    enumeration,
)

Timestamp = Annotated[str | None, WithJsonSchema({"type": "string", "format": "date-time"})]
Int64 = Annotated[int | None, WithJsonSchema({"type": "integer", "format": "int64"})]
Int32 = Annotated[int | None, WithJsonSchema({"type": "integer", "format": "int32"})]
Double = Annotated[float | None, WithJsonSchema({"type": "number", "format": "double"})]
Texts = Annotated[list[str] | None, WithJsonSchema({"type": "array", "items": {"type": "string"}})]
TextMap = Annotated[
    dict[str, str] | None,
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]
PaymentTypeName = Annotated[str | None, WithJsonSchema(enumeration(PAYMENT_TYPES))]
WalletTypeName = Annotated[str | None, WithJsonSchema(enumeration(WALLET_TYPES))]
TokenTypeName = Annotated[str | None, WithJsonSchema(enumeration(TOKEN_TYPES))]
TransactionTypeName = Annotated[str | None, WithJsonSchema(enumeration(TRANSACTION_TYPES))]
ChannelName = Annotated[str | None, WithJsonSchema(enumeration(CHANNELS))]


def _length(least: int, most: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "minLength": least, "maxLength": most})


AddressLine = Annotated[str | None, _length(0, 128)]
ZipCode = Annotated[str | None, _length(0, 10)]
Region = Annotated[str | None, _length(0, 30)]
CountryCode = Annotated[str | None, _length(2, 2)]
