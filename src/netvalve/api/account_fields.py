"""What an account requires of a payment whose own fields are not all good.

Together they make the one array of everything that is wrong with a request.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from netvalve.api.models.charge import BasicInputFieldsDTO
from netvalve.api.validation import in_order
from netvalve.catalogue.currencies import CURRENCIES
from netvalve.domain.client import MerchantAccount, RequiredField
from netvalve.domain.directory import Directory
from netvalve.domain.refusal import InvalidFields, Refusal
from netvalve.payments.charge import missing_fields, select_account
from netvalve.payments.commands import AccountSelector

_STANDS_FOR: Final = {RequiredField.FIRST_NAME: "customerFirstName"}
"""Other names of required fields."""


def with_account_fields(
    invalid: InvalidFields, body: bytes, directory: Directory, client_id: int
) -> InvalidFields:
    """The failed fields and those that the account asks for in vain, in the model's order.

    Where the body names no usable account there is nothing to add.
    """
    raw = _said(body)
    account = _account(raw, directory, client_id)
    if account is None:
        return invalid
    missing = missing_fields(
        account,
        {field: raw.get(field) or raw.get(_STANDS_FOR.get(field, "")) for field in RequiredField},
    )
    return in_order(BasicInputFieldsDTO, (*invalid.errors, *missing))


def _said(body: bytes) -> Mapping[str, Any]:
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return raw if isinstance(raw, dict) else {}


def _account(
    raw: Mapping[str, Any], directory: Directory, client_id: int
) -> MerchantAccount | None:
    currency = raw.get("currency")
    if not isinstance(currency, str) or currency not in CURRENCIES:
        return None
    selector = AccountSelector(
        _number(raw.get("midId")), _text(raw.get("netvalveMidId")), _text(raw.get("siteId"))
    )
    account = select_account(directory, client_id, selector, CURRENCIES[currency])
    return None if isinstance(account, Refusal) else account


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
