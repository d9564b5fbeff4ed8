"""Every brand has its hold time, and only brands have one."""

import pytest

from netvalve.catalogue.card_brands import CARD_RANGES, UNKNOWN_BRAND
from netvalve.catalogue.errors import CatalogueFileError
from netvalve.catalogue.hold_times import HOLD_TIMES, hold_days_of, read_hold_times
from netvalve.catalogue.tables import Source


def read(*lines: str, brands: tuple[str, ...] = ("VISA", UNKNOWN_BRAND)) -> object:
    text = "\n".join(("brand,hold_days", *lines, ""))
    return read_hold_times(Source("hold_times.csv", text), brands)


def test_every_brand_has_a_time_and_so_has_the_unknown_one() -> None:
    assert {*HOLD_TIMES} == {entry.brand for entry in CARD_RANGES} | {UNKNOWN_BRAND}


def test_a_brand_is_held_as_long_as_its_line_says() -> None:
    assert read("VISA,10", "UNKNOWN,7") == {"VISA": 10, "UNKNOWN": 7}
    assert hold_days_of("VISA") == HOLD_TIMES["VISA"]


def test_what_nothing_is_known_of_is_held_seven_days() -> None:
    assert hold_days_of(UNKNOWN_BRAND) == 7
    assert hold_days_of("NOBODY") == 7


def test_a_brand_without_a_line_is_refused() -> None:
    with pytest.raises(CatalogueFileError, match="line 2: no line for UNKNOWN"):
        read("VISA,7")


def test_a_brand_with_two_lines_is_refused() -> None:
    with pytest.raises(CatalogueFileError, match="line 3: brand 'VISA' is already on line 2"):
        read("VISA,7", "VISA,8", "UNKNOWN,7")


@pytest.mark.parametrize("line", ["VISA,0", "VISA,", "VISA,07", "VISA,366", "visa,7", "DISC,7"])
def test_a_time_or_brand_that_cannot_be_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(CatalogueFileError, match=r"hold_times\.csv, line 2: "):
        read(line, "UNKNOWN,7")
