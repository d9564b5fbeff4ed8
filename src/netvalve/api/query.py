"""The query string: every parameter with all of its values, the empty ones left out."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from netvalve.api.models.rules import INVALID
from netvalve.domain.refusal import FieldError, InvalidFields

Parameters = Mapping[str, list[str]]

_PARAMETERS_MAX: Final = 200

NOT_A_QUERY: Final = InvalidFields((FieldError("query", INVALID),))
"""Not UTF-8, or more parameters than any operation has."""


def read_query(query: bytes) -> Parameters | InvalidFields:
    """Splits a query string; an empty value is an absent one."""
    parameters: dict[str, list[str]] = {}
    if not query:
        return parameters
    try:
        pairs = parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=_PARAMETERS_MAX)
    except ValueError:
        return NOT_A_QUERY
    for name, value in pairs:
        parameters.setdefault(name, []).append(value)
    return parameters


def single_values(parameters: Parameters) -> dict[str, object]:
    """The last value of each parameter, for what may be given once."""
    return {name: values[-1] for name, values in parameters.items()}
