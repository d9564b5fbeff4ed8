"""From bytes to a model, or to every field that is wrong, in the model's order.

No message of the validator and no value leaves this file: a field error is a name and a code.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final, TypeVar

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from netvalve.api.models.fields import MISSING
from netvalve.api.models.model import Request, wire_names
from netvalve.api.models.rules import INVALID
from netvalve.catalogue.response_codes import RESPONSE_CODES
from netvalve.domain.refusal import FieldError, InvalidFields

Body = TypeVar("Body", bound=Request)

NOT_AN_OBJECT: Final = InvalidFields((FieldError("body", INVALID),))
"""The body is no JSON object in UTF-8."""


_LONG_AMOUNT: Final = re.compile(rb'"amount"\s*:\s*([0-9.]{17,})(?![0-9.eE])')
"""An amount of more digits than a double holds, by which the parser has rounded it: it is read
again from its own text."""


def read_body(model: type[Body], body: bytes) -> Body | InvalidFields:
    """Reads a request's body."""
    raw = read_object(body)
    return raw if isinstance(raw, InvalidFields) else read_fields(model, raw)


def read_object(body: bytes) -> dict[str, Any] | InvalidFields:
    """What a body says by name; `NaN`, infinities and nesting beyond 1024 levels are no JSON."""
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError:
        return NOT_AN_OBJECT
    if not isinstance(raw, dict):
        return NOT_AN_OBJECT
    for token in _LONG_AMOUNT.findall(body):
        if raw.get("amount") == float(token):
            raw["amount"] = token.decode()
    return raw


def read_fields(model: type[Body], raw: dict[str, Any]) -> Body | InvalidFields:
    """Reads named values, from a body or from a query."""
    said = model.said(raw)
    across = tuple(model.across(said))
    try:
        read = model.model_validate(said)
    except ValidationError as refused:
        own = refused.errors(include_url=False, include_context=False, include_input=False)
        return in_order(model, (*map(_field_error, own), *across))
    return in_order(model, across) if across else read


def _field_error(error: ErrorDetails) -> FieldError:
    name = ".".join(map(str, error["loc"]))
    if error["type"] == "missing":
        return FieldError(name, MISSING.get(name, INVALID))
    known = error["type"] in RESPONSE_CODES
    return FieldError(name, error["type"] if known else INVALID)


def in_order(model: type[Request], errors: Iterable[FieldError]) -> InvalidFields:
    """The errors in the model's order; each field once, its own before another's about it."""
    order = _order(model)
    once: dict[str, FieldError] = {}
    for error in errors:
        once.setdefault(error.field, error)
    return InvalidFields(
        tuple(sorted(once.values(), key=lambda error: order[error.field.split(".")[0]]))
    )


@cache
def _order(model: type[Request]) -> dict[str, int]:
    return {name: index for index, name in enumerate(wire_names(model))}
