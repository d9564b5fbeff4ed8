"""How long a brand's authorization may wait for its capture before the gateway cancels it.

Source: what processors publish as their capture windows for online payments (Stripe for Visa,
Mastercard, American Express and Discover; Cielo for the Brazilian brands): seven days. Visa's own
rules let a payment that the card holder began stand for ten, the days of clearing included.
Brands without a published figure have seven days too; an account may have a time of its own.
"""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from netvalve.catalogue.card_brands import CARD_RANGES, UNKNOWN_BRAND
from netvalve.catalogue.errors import CatalogueFileError
from netvalve.catalogue.tables import Source, data_file, records

HOLD_DAYS_MIN: Final = 1
HOLD_DAYS_MAX: Final = 365

_COLUMNS = ("brand", "hold_days")
_BRAND = re.compile(r"[A-Z]+")
_DAYS = re.compile(r"[1-9][0-9]{0,2}")
_BRANDS: Final = frozenset({entry.brand for entry in CARD_RANGES} | {UNKNOWN_BRAND})


def read_hold_times(source: Source, brands: Collection[str] = _BRANDS) -> Mapping[str, int]:
    """Reads the days by brand, and proves that every brand, the unknown one too, has its own.

    Raises:
        CatalogueFileError: for a line that cannot be accepted, or for the brands that are missing.
    """
    times: dict[str, int] = {}
    line = 1
    for record in records(source, _COLUMNS, unique=("brand",)):
        brand, days = record.matching("brand", _BRAND), int(record.matching("hold_days", _DAYS))
        if brand not in brands:
            raise record.refused(f"{brand} is no brand of card_brands.csv")
        if days > HOLD_DAYS_MAX:
            raise record.refused(f"{days} days are more than {HOLD_DAYS_MAX}")
        times[brand], line = days, record.line
    if missing := sorted(set(brands) - times.keys()):
        raise CatalogueFileError(source.name, line, f"no line for {', '.join(missing)}")
    return MappingProxyType(times)


HOLD_TIMES: Final = read_hold_times(data_file("hold_times.csv"))


def hold_days_of(brand: str) -> int:
    """How many days an authorization of this brand is held; a brand nobody lists is unknown."""
    return HOLD_TIMES.get(brand, HOLD_TIMES[UNKNOWN_BRAND])
