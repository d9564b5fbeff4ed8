"""Which brand a card number belongs to.

A range of prefixes inside another one is the more specific and wins, for the lengths it knows.
The brand is what the card shows, not the network that carries it: 622126 is UNIONPAY.

Source: the schemes' published account ranges (ISO/IEC 7812 issuer identification numbers).
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from netvalve.catalogue.tables import Record, Source, data_file, records

UNKNOWN_BRAND: Final = "UNKNOWN"

_COLUMNS = ("brand", "prefix_low", "prefix_high", "lengths")
_BRAND = re.compile(r"[A-Z]+")
_PREFIX = re.compile(r"[0-9]{1,6}")
_LENGTHS = re.compile(r"1[0-9]( 1[0-9])*")
_BIN_DIGITS = 6


@dataclass(frozen=True, slots=True)
class CardRange:
    """All card numbers that begin between two prefixes, ends included, and their lengths."""

    brand: str
    prefix_low: str
    prefix_high: str
    lengths: tuple[int, ...]

    @property
    def first(self) -> int:
        """The lowest six digits a number of this range begins with."""
        return int(self.prefix_low.ljust(_BIN_DIGITS, "0"))

    @property
    def last(self) -> int:
        """The highest six digits a number of this range begins with."""
        return int(self.prefix_high.ljust(_BIN_DIGITS, "9"))

    def clashes_with(self, other: "CardRange") -> bool:
        """Two ranges clash when they share numbers and neither is the more specific."""
        overlap = self.first <= other.last and other.first <= self.last
        return overlap and self.inside(other) == other.inside(self)

    def inside(self, other: "CardRange") -> bool:
        """Every number that begins like this range begins like the other one too."""
        return other.first <= self.first and self.last <= other.last


def read_card_ranges(source: Source) -> tuple[CardRange, ...]:
    """Reads card ranges and proves that any two are apart or one inside the other.

    Raises:
        CatalogueFileError: for a line that cannot be accepted.
    """
    ranges: list[CardRange] = []
    for record in records(source, _COLUMNS, unique=("prefix_low",)):
        card_range = _card_range(record)
        for other in ranges:
            if card_range.clashes_with(other):
                raise record.refused(f"the range clashes with {other.brand} {other.prefix_low}")
        ranges.append(card_range)
    return tuple(ranges)


def _card_range(record: Record) -> CardRange:
    card_range = CardRange(
        brand=record.matching("brand", _BRAND),
        prefix_low=record.matching("prefix_low", _PREFIX),
        prefix_high=record.matching("prefix_high", _PREFIX),
        lengths=tuple(map(int, record.matching("lengths", _LENGTHS).split())),
    )
    if card_range.first > card_range.last:
        raise record.refused("prefix_low is above prefix_high")
    return card_range


class BrandIndex:
    """Finds a brand in one binary search: the number line cut wherever any range begins or ends.

    Each cut has its own table of length to brand, with the most specific range already chosen.
    """

    __slots__ = ("_brands", "_starts")

    def __init__(self, ranges: Sequence[CardRange]) -> None:
        cuts = {0} | {r.first for r in ranges} | {r.last + 1 for r in ranges}
        starts = sorted(cut for cut in cuts if cut < 10**_BIN_DIGITS)
        widest_first = sorted(ranges, key=lambda r: r.first - r.last)
        self._starts = [str(start).zfill(_BIN_DIGITS) for start in starts]
        self._brands = [
            {n: r.brand for r in widest_first if r.first <= start <= r.last for n in r.lengths}
            for start in starts
        ]

    def brand_of(self, card_number: str) -> str:
        """Finds the brand of a whole card number."""
        brands = self._brands[bisect_right(self._starts, card_number[:_BIN_DIGITS]) - 1]
        return brands.get(len(card_number), UNKNOWN_BRAND)


CARD_RANGES: Final = read_card_ranges(data_file("card_brands.csv"))

_INDEX: Final = BrandIndex(CARD_RANGES)


def brand_of(card_number: str) -> str:
    """Finds the brand of a whole card number, `UNKNOWN` when no range has its prefix and length.

    The number is digits only, as its own check has proven; the brand does not prove it again.
    """
    return _INDEX.brand_of(card_number)
