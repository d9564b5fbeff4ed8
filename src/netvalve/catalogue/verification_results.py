"""What the one-letter results of address and security code verification mean.

Source: Visa's and Mastercard's address verification (AVS) and CVV2/CVC2 result codes, with
American Express's codes for the cardholder's name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from netvalve.catalogue.tables import Record, Source, data_file, records

_COLUMNS = ("code", "description")
_CODE = re.compile(r"[A-Z]")
_UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """One result: the letter as the bank sent it, and its meaning in English."""

    code: str
    description: str


def read_verification_results(source: Source) -> Mapping[str, VerificationResult]:
    """Reads results by their letter.

    Raises:
        CatalogueFileError: for a line that cannot be accepted.
    """
    rows = records(source, _COLUMNS, unique=("code",))
    return MappingProxyType({entry.code: entry for entry in map(_verification_result, rows)})


def _verification_result(record: Record) -> VerificationResult:
    return VerificationResult(record.matching("code", _CODE), record.text("description"))


AVS_RESULTS: Final = read_verification_results(data_file("avs_results.csv"))
CVV2_RESULTS: Final = read_verification_results(data_file("cvv2_results.csv"))


def avs_result(code: str) -> VerificationResult:
    """Explains an address verification result; an unknown letter is kept and called unknown."""
    return AVS_RESULTS.get(code) or VerificationResult(code, _UNKNOWN)


def cvv2_result(code: str) -> VerificationResult:
    """Explains a security code result; an unknown letter is kept and called unknown."""
    return CVV2_RESULTS.get(code) or VerificationResult(code, _UNKNOWN)
