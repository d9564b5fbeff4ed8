"""The active currencies that have a minor unit.

Source: ISO 4217, list one of 1 January 2026. Metals, testing and composite codes have no minor unit
and are left out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from netvalve.catalogue.errors import UnknownEntryError
from netvalve.catalogue.tables import Record, Source, data_file, records

_COLUMNS = ("code", "number", "exponent")
_CODE = re.compile(r"[A-Z]{3}")
_NUMBER = re.compile(r"[0-9]{3}")
_EXPONENT = re.compile(r"[0-4]")


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency: letters, three digits, and how many decimals its minor unit has."""

    code: str
    number: str
    exponent: int


def read_currencies(source: Source) -> Mapping[str, Currency]:
    """Reads currencies by their letters.

    Raises:
        CatalogueFileError: for a line that cannot be accepted.
    """
    rows = records(source, _COLUMNS, unique=("code", "number"))
    return MappingProxyType({entry.code: entry for entry in map(_currency, rows)})


def _currency(record: Record) -> Currency:
    return Currency(
        code=record.matching("code", _CODE),
        number=record.matching("number", _NUMBER),
        exponent=int(record.matching("exponent", _EXPONENT)),
    )


CURRENCIES: Final = read_currencies(data_file("currencies.csv"))

_BY_NUMBER: Final = {entry.number: entry for entry in CURRENCIES.values()}


def currency(code: str) -> Currency:
    """Looks up a currency by its letters, such as `USD`.

    Raises:
        UnknownEntryError: the table has no such currency.
    """
    try:
        return CURRENCIES[code]
    except KeyError:
        raise UnknownEntryError("currencies", code) from None


def currency_by_number(number: str) -> Currency:
    """Looks up a currency by its three digits, such as `036` (ISO 8583 field 49).

    Raises:
        UnknownEntryError: the table has no such currency.
    """
    try:
        return _BY_NUMBER[number]
    except KeyError:
        raise UnknownEntryError("currencies", number) from None
