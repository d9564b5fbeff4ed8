"""The countries a customer may name.

Source: ISO 3166-1, the officially assigned codes and their English short names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from netvalve.catalogue.tables import Record, Source, data_file, records

_COLUMNS = ("alpha_2", "alpha_3", "number", "name")
_ALPHA_2 = re.compile(r"[A-Z]{2}")
_ALPHA_3 = re.compile(r"[A-Z]{3}")
_NUMBER = re.compile(r"[0-9]{3}")


@dataclass(frozen=True, slots=True)
class Country:
    """A country: two letters, three letters, three digits, English short name."""

    alpha_2: str
    alpha_3: str
    number: str
    name: str


def read_countries(source: Source) -> Mapping[str, Country]:
    """Reads countries by their two letters.

    Raises:
        CatalogueFileError: for a line that cannot be accepted.
    """
    rows = records(source, _COLUMNS, unique=_COLUMNS)
    return MappingProxyType({entry.alpha_2: entry for entry in map(_country, rows)})


def _country(record: Record) -> Country:
    return Country(
        alpha_2=record.matching("alpha_2", _ALPHA_2),
        alpha_3=record.matching("alpha_3", _ALPHA_3),
        number=record.matching("number", _NUMBER),
        name=record.text("name"),
    )


COUNTRIES: Final = read_countries(data_file("countries.csv"))
