"""The filters of `/orders` and `/export`: one table, read into a search and shown in the docs.

One without a meaning here is refused by name, never passed over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from netvalve.api import filter_rules, moments
from netvalve.api.models import customer_rules, rules
from netvalve.api.models.details import CHARGEBACK_TYPES
from netvalve.api.models.fields import (
    PAYMENT_TYPES,
    TRANSACTION_TYPES,
    WALLET_TYPES,
    enumeration,
)

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}
_FLAG: Final = {"type": "boolean"}
_INT64: Final = {"type": "integer", "format": "int64"}
_INT32: Final = {"type": "integer", "format": "int32"}
_MOMENT: Final = {"type": "string", "format": "date-time"}
_TYPE: Final = enumeration(TRANSACTION_TYPES)

STATUS: Final = "status"
"""Where the filter `status` lands: the listing says whose status it means."""
OWN_ID: Final = "client_id"
OWN_NAME: Final = "client_name"
"""Filters that can only name the caller."""
SITE_NAME: Final = "site_name"
"""Where the filter `siteName` lands: the directory says which sites it means."""

UNSUPPORTED: Final = "Not known to this gateway yet: refused"
UNSUPPORTED_FLAG: Final = "`true` is not known to this gateway yet: refused; `false` asks nothing"


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: its name and schema on the wire, its meaning, and where it lands in a search."""

    name: str
    schema: dict[str, Any]
    meaning: str = UNSUPPORTED
    rule: Callable[[object], object] | None = None
    """None where the filter is refused."""
    lands_in: str | None = None


_IDENTIFIER = rules.identifier(rules.INVALID)
_ONE_PAYMENT_TYPE = rules.one_of(PAYMENT_TYPES, rules.INVALID)
_ONE_WALLET_TYPE = rules.one_of(WALLET_TYPES, rules.INVALID)

FILTERS: Final = (
    Filter(
        "fromDateTime",
        _MOMENT,
        "Created at or after: ISO 8601, UTC unless it says otherwise; a date is its beginning",
        filter_rules.moment(moments.first_ms),
        "from_ms",
    ),
    Filter(
        "toDateTime",
        _MOMENT,
        "Created at or before; a date is its end",
        filter_rules.moment(moments.last_ms),
        "to_ms",
    ),
    Filter("emailAddress", _TEXT, "The customer's e-mail address", rules.text, "email"),
    Filter("firstName", _TEXT, "The customer's first name", rules.text, "first_name"),
    Filter("lastName", _TEXT, "The customer's last name", rules.text, "last_name"),
    Filter(
        "ccFirstSix", _TEXT, "First six digits of the card", filter_rules.digits(6, 6), "first_six"
    ),
    Filter(
        "ccLastFour", _TEXT, "Last four digits of the card", filter_rules.digits(4, 4), "last_four"
    ),
    Filter("orderId", _INT64, "The order", _IDENTIFIER, "order_id"),
    Filter("transactionId", _INT64, "The transaction, or its order", _IDENTIFIER, "transaction_id"),
    Filter(
        "transactionReferenceId",
        _INT64,
        "The transaction that a later one refers to",
        _IDENTIFIER,
        "transaction_reference_id",
    ),
    Filter(
        "orderStatus", _TEXT, "The order's status, such as `Captured`", rules.text, "order_status"
    ),
    Filter("transactionType", _TYPE, "The type", filter_rules.types, "transaction_types"),
    Filter(
        "transactionStatus",
        _TEXT,
        "The transaction's status, such as `Authorised`",
        rules.text,
        "transaction_status",
    ),
    Filter("midId", _INT64, "The merchant account, by number", _IDENTIFIER, "mid_id"),
    Filter("siteId", _INT64, "The site, by UUID; a number matches nothing", rules.text, "site_id"),
    Filter("netvalveMidId", _TEXT, "The merchant account, by UUID", rules.text, "netvalve_mid_id"),
    Filter("clientOrderId", _TEXT, "The merchant's own order id", rules.text, "client_order_id"),
    Filter(
        "clientId", _INT64, "The caller; another client's rows do not exist", _IDENTIFIER, OWN_ID
    ),
    Filter(
        "status",
        _TEXT,
        "`orderStatus` on `/orders`, `transactionStatus` on `/export`",
        rules.text,
        STATUS,
    ),
    Filter(
        "cardType", _TEXT, "The card's brand, such as `VISA`", filter_rules.capitals, "card_type"
    ),
    Filter("currency", _TEXT, "ISO 4217 letters", rules.currency_code, "currency"),
    Filter(
        "countryCode",
        _TEXT,
        "The customer's country, ISO 3166 letters",
        customer_rules.country,
        "country",
    ),
    Filter("bin", _TEXT, "First digits of the card, one to six", filter_rules.digits(1, 6), "bin"),
    Filter("descriptor", _TEXT, "The dynamic descriptor", rules.text, "descriptor"),
    Filter(
        "includeOnlySettled",
        _FLAG,
        "`true`: only what captured money",
        rules.flag,
        "only_settled",
    ),
    Filter(
        "includeAllAuthorizations",
        _FLAG,
        "Asks nothing: a listing holds every authorization",
        filter_rules.already_so,
    ),
    Filter("includeReorders", _FLAG, UNSUPPORTED_FLAG, filter_rules.not_asked_for),
    Filter("reportIncrement", enumeration(("DAILY", "MONTHLY", "QUARTERLY", "YEARLY"))),
    Filter("clientName", _TEXT, "The caller's name", rules.text, OWN_NAME),
    Filter("merchantName", _TEXT, "The caller's name", rules.text, OWN_NAME),
    Filter(
        "includeAllStatuses",
        _FLAG,
        "Asks nothing: a listing holds every status",
        filter_rules.already_so,
    ),
    Filter(
        "minAmount", _NUMBER, "At least, in major units", filter_rules.decimal_text, "amount_min"
    ),
    Filter(
        "maxAmount", _NUMBER, "At most, in major units", filter_rules.decimal_text, "amount_max"
    ),
    Filter("bankId", _INT64, "The bank", _IDENTIFIER, "bank_id"),
    Filter("additionalParameters", _TEXT),
    Filter("correlationId", _TEXT, "The traceID", rules.text, "trace_id"),
    Filter(
        "paymentType",
        enumeration(PAYMENT_TYPES),
        "The kind of payment",
        _ONE_PAYMENT_TYPE,
        "payment_type",
    ),
    Filter("walletType", enumeration(WALLET_TYPES), "The wallet", _ONE_WALLET_TYPE, "wallet_type"),
    Filter("paymentStatus", _TEXT),
    Filter("withThreeDs", _FLAG, "With or without 3-D Secure data", rules.flag, "three_ds"),
    Filter("threeDsProviderId", _INT64),
    Filter("serviceName", _TEXT),
    Filter("siteName", _TEXT, "The site's name, in any case of letters", rules.text, SITE_NAME),
    Filter(
        "transactionTypes",
        {"type": "array", "items": _TYPE},
        "Any of these types: repeated, with commas between, or a JSON array",
        filter_rules.types,
        "transaction_types",
    ),
    Filter("isEmptyList", _FLAG, UNSUPPORTED_FLAG, filter_rules.not_asked_for),
    Filter("bankAuthCode", _TEXT, "The bank's approval code", rules.text, "auth_code"),
    Filter("bankTransactionId", _TEXT, "The bank's transaction id", rules.text, "rrn"),
    Filter("isChargebackOnly", _FLAG, UNSUPPORTED_FLAG, filter_rules.not_asked_for),
    Filter("isFraudOnly", _FLAG, UNSUPPORTED_FLAG, filter_rules.not_asked_for),
    Filter("cbTransactionType", _TEXT),
    Filter("cbTransactionTypeEnum", enumeration(CHARGEBACK_TYPES)),
    Filter("maxLimit", _INT32),
    Filter("resellerId", _INT64),
    Filter(
        "tsysTransId",
        _TEXT,
        "The card scheme's transaction id",
        rules.text,
        "scheme_transaction_id",
    ),
)
"""Every field of the contract's SearchFilterDTO."""


def search_filter_schema() -> dict[str, Any]:
    """SearchFilterDTO as it is published."""
    return {"type": "object", "properties": {each.name: each.schema for each in FILTERS}}
