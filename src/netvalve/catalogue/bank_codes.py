"""What a bank's answer means to the client: ISO 8583 field 39 and the response code it becomes.

Source: ISO 8583:1987, field 39 (00-69, 90-96); Mastercard's use of the private values 70-89; Visa's
and Mastercard's values with a letter. Value 80 is read as the German GICC reads it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from netvalve.catalogue.response_codes import (
    RESPONSE_CODES,
    CodeType,
    ResponseCode,
    refusal_word,
    response_code,
)
from netvalve.catalogue.tables import Record, Source, data_file, records

_COLUMNS = ("value", "response_code", "message", "retry_allowed")
_VALUE = re.compile(r"[0-9A-Z]{2}")

NEVER_APPROVED: Final = frozenset({"05", "14", "41", "43", "51", "54", "61", "62", "65"})
"""Clients take an answer with one of these values for a refusal, whatever else it says."""

UNLISTED: Final = response_code("BNK_2003")
"""What a value becomes that no line names."""


@dataclass(frozen=True, slots=True)
class BankCode:
    """One value of field 39 as the bank sent it, and what the client is told of it.

    `retry_allowed`: the same payment may succeed later. `listed` is false for a value that the
    table does not know, so that such values can be counted.
    """

    value: str
    response_code: ResponseCode
    message: str
    retry_allowed: bool
    listed: bool


def read_bank_codes(source: Source) -> Mapping[str, BankCode]:
    """Reads bank codes by value and proves that they agree with the response codes.

    Raises:
        CatalogueFileError: for a line that cannot be accepted.
    """
    rows = records(source, _COLUMNS, unique=("value",))
    return MappingProxyType({entry.value: entry for entry in map(_bank_code, rows)})


def _bank_code(record: Record) -> BankCode:
    code = record.text("response_code")
    if code not in RESPONSE_CODES:
        raise record.refused(f"response_code {code!r} does not exist")
    entry = BankCode(
        value=record.matching("value", _VALUE),
        response_code=RESPONSE_CODES[code],
        message=record.text("message"),
        retry_allowed=record.flag("retry_allowed"),
        listed=True,
    )
    if problem := _contradiction(entry):
        raise record.refused(problem)
    return entry


def _contradiction(entry: BankCode) -> str | None:
    code_type = entry.response_code.type
    if code_type is CodeType.PENDING:
        return "a bank's answer ends a transaction, it is never pending"
    if entry.retry_allowed and code_type is not CodeType.SOFT_DECLINE:
        return "only a soft decline may be retried"
    if code_type is not CodeType.APPROVED:
        return None
    if entry.value in NEVER_APPROVED:
        return f"clients take the value {entry.value!r} for a refusal"
    word = refusal_word(entry.message)
    return f"an approval's message may not say {word!r}" if word else None


BANK_CODES: Final = read_bank_codes(data_file("bank_codes.csv"))


def bank_code(value: str) -> BankCode:
    """Looks up a value of field 39; an unlisted one is a plain decline that keeps its value."""
    return BANK_CODES.get(value) or BankCode(
        value=value,
        response_code=UNLISTED,
        message=UNLISTED.message,
        retry_allowed=False,
        listed=False,
    )
