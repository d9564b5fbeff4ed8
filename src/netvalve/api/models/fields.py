"""The types of fields: each one the rule that reads it and the schema that is published for it.

The published schema is the contract's; the rule also takes what deployed clients send.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import PlainValidator, WithJsonSchema

from netvalve.api.models import card_rules, customer_rules, rules
from netvalve.domain.card import CardNumber, SecurityCode
from netvalve.domain.client import Channel
from netvalve.domain.transaction import TransactionType

PAYMENT_TYPES: Final = ("CARD", "WALLET", "TOKEN")
WALLET_TYPES: Final = ("APPLE_PAY", "GOOGLE_PAY", "SAMSUNG_PAY")
TOKEN_TYPES: Final = ("GATEWAY_TOKEN", "NETWORK_TOKEN", "BANK_TOKEN", "HPF")
TRANSACTION_TYPES: Final = tuple(TransactionType)
CHANNELS: Final = tuple(Channel)
REQUEST_TYPES: Final = ("IN_APP", "ECOMMERCE", "RECURRING", "DIRECT_MARKETING", "INSTALLMENT")
SCHEDULE_TYPES: Final = (
    "CIT_COF",
    "CIT_STANDING_ORDER",
    "CIT_SUBSCRIPTION",
    "MIT_UNSCHEDULED_COF",
    "MIT_STANDING_ORDER",
    "MIT_SUBSCRIPTION",
)
INDICATORS: Final = {
    "true": "true",
    "false": "false",
    "Y": "true",
    "N": "false",
    "1": "true",
    "0": "false",
}
"""Spellings of `partialAuthorizationIndicator`, which the contract leaves open."""

ENUMERATIONS: Final = {
    "GTW_2057": SCHEDULE_TYPES,
    "GTW_2060": tuple(INDICATORS),
    "GTW_2062": REQUEST_TYPES,
    "GTW_2093": PAYMENT_TYPES,
    "GTW_2094": WALLET_TYPES,
}
"""What fills `{enumValues}` in the message of each of these codes."""

MISSING: Final = {
    "amount": "GTW_2002",
    "currency": "GTW_2018",
    "transactionID": "GTW_2048",
    "transactionId": "GTW_2048",
    "id": "GTW_2048",
}
"""The code of a required field that is not there; any other is the general one."""


def enumeration(values: Sequence[str]) -> dict[str, Any]:
    """The published schema of a text that takes one of some values."""
    return {"type": "string", "enum": list(values)}


def _length(least: int, most: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "minLength": least, "maxLength": most})


_STRING = WithJsonSchema({"type": "string"})
_INT64 = WithJsonSchema({"type": "integer", "format": "int64"})
_NUMBER = WithJsonSchema({"type": "number"})

Text = Annotated[str | None, PlainValidator(rules.free_text()), _STRING]
Flag = Annotated[bool, PlainValidator(rules.flag), WithJsonSchema({"type": "boolean"})]
AccountName = Annotated[str | None, PlainValidator(rules.account_name), _STRING]
MidId = Annotated[int | None, PlainValidator(rules.mid_id), _INT64]
TransactionId = Annotated[int, PlainValidator(rules.identifier("GTW_2048")), _INT64]
Identifier = Annotated[int, PlainValidator(rules.identifier(rules.INVALID)), _INT64]
Amount = Annotated[Decimal, PlainValidator(rules.amount), _NUMBER]
NumberText = Annotated[str, PlainValidator(rules.number_text), _NUMBER]
DoubleText = Annotated[
    str,
    PlainValidator(rules.number_text),
    WithJsonSchema({"type": "number", "format": "double"}),
]
CurrencyCode = Annotated[str, PlainValidator(rules.currency_code), _STRING]
ClientOrderId = Annotated[
    str | None, PlainValidator(rules.limited_text(100, "GTW_2020")), _length(0, 100)
]
Number = Annotated[CardNumber, PlainValidator(card_rules.card_number), _length(0, 40)]
ExpiryMonth = Annotated[
    str,
    PlainValidator(card_rules.expiry_month),
    WithJsonSchema({"type": "string", "pattern": "^(0[1-9]|1[0-2])$"}),
]
ExpiryYear = Annotated[str, PlainValidator(card_rules.expiry_year), _length(4, 4)]
Code = Annotated[SecurityCode, PlainValidator(card_rules.security_code), _STRING]
HolderName = Annotated[
    str | None, PlainValidator(rules.free_text(128, "GTW_2022")), _length(0, 128)
]
FirstName = Annotated[str | None, PlainValidator(rules.free_text(128, "GTW_2026")), _length(0, 128)]
LastName = Annotated[str | None, PlainValidator(rules.free_text(128, "GTW_2037")), _length(0, 128)]
Address = Annotated[str | None, PlainValidator(rules.free_text(128, "GTW_2027")), _length(0, 128)]
ZipCode = Annotated[str | None, PlainValidator(rules.free_text(10, "GTW_2017")), _length(0, 10)]
City = Annotated[str | None, PlainValidator(rules.free_text(128, "GTW_2014")), _length(0, 128)]
Region = Annotated[str | None, PlainValidator(rules.free_text(30, "GTW_2015")), _length(0, 30)]
CountryCode = Annotated[str, PlainValidator(customer_rules.country), _length(2, 2)]
Phone = Annotated[str | None, PlainValidator(customer_rules.phone), _length(0, 20)]
Email = Annotated[str | None, PlainValidator(customer_rules.email), _length(0, 128)]
IpAddress = Annotated[str, PlainValidator(customer_rules.ip_address), _STRING]
Descriptor = Annotated[
    str | None,
    PlainValidator(rules.limited_text(50, "GTW_2042")),
    WithJsonSchema({"type": "string", "pattern": "^.{0,50}$"}),
]
PaymentType = Annotated[
    str,
    PlainValidator(rules.one_of(PAYMENT_TYPES, "GTW_2093")),
    WithJsonSchema(enumeration(PAYMENT_TYPES)),
]
WalletType = Annotated[
    str,
    PlainValidator(rules.one_of(WALLET_TYPES, "GTW_2094")),
    WithJsonSchema(enumeration(WALLET_TYPES)),
]
TextMap = Annotated[
    dict[str, str],
    PlainValidator(rules.text_map),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]
Payload = Annotated[str, PlainValidator(rules.payload), _STRING]
