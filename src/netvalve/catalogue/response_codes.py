"""The response codes of the API: what a client is told, to the letter.

Source: the NetValve Payment Gateway API's list of response codes and its captured answers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from netvalve.catalogue.errors import UnknownEntryError
from netvalve.catalogue.tables import Record, Source, data_file, records

_COLUMNS = ("code", "constant", "message", "type")
_CODE = re.compile(r"(GTW|BNK|3DS|SMR)_[0-9]{4}")

REFUSAL_WORDS: Final = (
    "declin",
    "insufficient",
    "invalid",
    "not supported",
    "failed",
    "do not honor",
    "expired",
    "lost",
    "stolen",
    "restricted",
)
"""Clients search an answer for these, in any case: none may stand in an approval."""


class CodeType(StrEnum):
    """How an answer ended: the API's `responseCodeType`."""

    APPROVED = "APPROVED"
    SOFT_DECLINE = "SOFT DECLINE"
    HARD_DECLINE = "HARD DECLINE"
    PENDING = "PENDING"


@dataclass(frozen=True, slots=True)
class ResponseCode:
    """One answer of the gateway. `constant` is its published name, where it has one.

    The message is a fact of the wire: clients compare it with its odd spaces, and a `{name}` in it
    is to be filled in.
    """

    code: str
    constant: str | None
    message: str
    type: CodeType


def refusal_word(message: str) -> str | None:
    """Finds a word by which a client would take this message for a refusal."""
    lowered = message.lower()
    return next((word for word in REFUSAL_WORDS if word in lowered), None)


def read_response_codes(source: Source) -> Mapping[str, ResponseCode]:
    """Reads response codes by code and proves that no approval sounds like a refusal.

    Raises:
        CatalogueFileError: for a line that cannot be accepted.
    """
    rows = records(source, _COLUMNS, unique=("code",))
    return MappingProxyType({entry.code: entry for entry in map(_response_code, rows)})


def _response_code(record: Record) -> ResponseCode:
    entry = ResponseCode(
        code=record.matching("code", _CODE),
        constant=record.optional_text("constant"),
        message=record.verbatim("message"),
        type=record.choice("type", CodeType),
    )
    word = refusal_word(entry.message)
    if entry.type is CodeType.APPROVED and word:
        raise record.refused(f"an approval's message may not say {word!r}")
    return entry


RESPONSE_CODES: Final = read_response_codes(data_file("response_codes.csv"))


def response_code(code: str) -> ResponseCode:
    """Looks up a code such as `GTW_1000`.

    Raises:
        UnknownEntryError: the table has no such code.
    """
    try:
        return RESPONSE_CODES[code]
    except KeyError:
        raise UnknownEntryError("response_codes", code) from None
