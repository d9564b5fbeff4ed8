"""What the bank says of an address and a security code (field 44)."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from netvalve.banks.testbank.cards import wrong_security_code
from netvalve.banks.testbank.data import data_file
from netvalve.catalogue.tables import Source, records
from netvalve.domain.card import SecurityCode

_RESULT = re.compile(r"[A-Z]")
_ZIP = re.compile(r"[0-9]{5}")

BOTH_MATCH: Final = "Y"
ADDRESS_MATCHES: Final = "A"
ZIP_MATCHES: Final = "Z"
NOT_AVAILABLE: Final = "U"

CODE_MATCHES: Final = "M"
CODE_WRONG: Final = "N"
CODE_ABSENT: Final = "P"


def read_zips(source: Source) -> Mapping[str, str]:
    """Reads the AVS results that postal codes ask for.

    Raises:
        CatalogueFileError: for a line that cannot be accepted.
    """
    rows = records(source, ("zip_code", "result"), unique=("zip_code",))
    return MappingProxyType(
        {row.matching("zip_code", _ZIP): row.matching("result", _RESULT) for row in rows}
    )


AVS_ZIPS: Final = read_zips(data_file("avs_zips.csv"))


def avs_result(address: str | None, zip_code: str | None) -> str:
    """What is given matches, unless the postal code asks for another result."""
    if zip_code and zip_code in AVS_ZIPS:
        return AVS_ZIPS[zip_code]
    if address:
        return BOTH_MATCH if zip_code else ADDRESS_MATCHES
    return ZIP_MATCHES if zip_code else NOT_AVAILABLE


def cvv2_result(code: SecurityCode | None) -> str:
    """Every code but zeros alone matches."""
    if code is None:
        return CODE_ABSENT
    return CODE_WRONG if wrong_security_code(code) else CODE_MATCHES
