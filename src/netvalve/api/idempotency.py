"""The `Idempotency-Key` of a request, and what its body says in a form that can be compared.

Two bodies that mean the same have the same form, whatever today's rules make of them: a request
that was taken is known again even where it would be refused by now.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import orjson
from pydantic import BaseModel

from netvalve.api.models import rules
from netvalve.api.models.model import wire_names
from netvalve.domain.refusal import FieldError, InvalidFields

HEADER: Final = "Idempotency-Key"
KEY_LENGTH_MAX: Final = 255

_SECURITY_CODE: Final = "cardSecurityCode"
"""Left out altogether: not even a digest of it is kept."""
_DEPTH_MAX: Final = 32
"""Objects and arrays inside one another; no field of the contract comes near it."""

_SORTED: Final = orjson.OPT_SORT_KEYS


class _TooDeep(Exception):
    """A value is nested deeper than any request has a reason for."""


def key_of(values: Sequence[bytes]) -> str | InvalidFields | None:
    """The key that a request's headers name: 1 to 255 visible ASCII characters, taken literally."""
    if not values:
        return None
    key, *others = {value.strip() for value in values}
    if others or not 1 <= len(key) <= KEY_LENGTH_MAX or not all(0x20 < each < 0x7F for each in key):
        return InvalidFields((FieldError(HEADER, rules.INVALID),))
    return key.decode("ascii")


def said_fields(model: type[BaseModel], raw: Mapping[str, Any]) -> dict[str, bytes] | InvalidFields:
    """What the body says in each field that the operation knows; nothing else counts."""
    said: dict[str, bytes] = {}
    for name in wire_names(model):
        value = raw.get(name)
        if value is None or value == "" or name == _SECURITY_CODE:
            continue
        try:
            said[name] = _bytes_of(_READ_AS.get(name, _plain)(value))
        except _TooDeep:
            return InvalidFields((FieldError(name, rules.INVALID),))
    return said


def _bytes_of(value: object) -> bytes:
    """The text, or the value as JSON in which equal values are written alike."""
    return value.encode() if isinstance(value, str) else orjson.dumps(value, option=_SORTED)


def _plain(value: object, depth: int = 0) -> object:
    """The value with every number and boolean as its text, and without what is null or empty."""
    if depth > _DEPTH_MAX:
        raise _TooDeep
    match value:
        case dict():
            return {
                name: _plain(each, depth + 1)
                for name, each in value.items()
                if each is not None and each != ""
            }
        case list():
            return [_plain(each, depth + 1) for each in value]
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _number(value)
        case _:
            return value


def _number(value: object) -> object:
    """`12.5` for 12.5, 12.50 and their texts; what is no number as it is."""
    number = rules.decimal_of(value)
    return _plain(value) if number is None else _digits(number)


def _digits(number: Decimal) -> str:
    """The number without exponent, and without zeros that say nothing."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).lstrip("+")


def _month(value: object) -> object:
    text = _plain(value)
    return text.zfill(2) if isinstance(text, str) else text


_READ_AS: Final[Mapping[str, Callable[[object], object]]] = {
    "amount": _number,
    "cardExpireMonth": _month,
    "midId": _number,
    "transactionID": _number,
}
"""Fields whose texts and numbers are one; a text of any other field is compared letter by letter,
and a number stands for its digits."""
