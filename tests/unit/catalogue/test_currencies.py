"""Currencies are those of ISO 4217, each with the right number of decimals."""

import pytest

from netvalve.catalogue.currencies import (
    CURRENCIES,
    Currency,
    currency,
    currency_by_number,
    read_currencies,
)
from netvalve.catalogue.errors import CatalogueFileError, UnknownEntryError
from netvalve.catalogue.tables import Source

NO_DECIMALS = {
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"),
    *("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
}
THREE_DECIMALS = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
FOUR_DECIMALS = {"CLF", "UYW"}


def read(*lines: str) -> dict[str, Currency]:
    text = "\n".join(("code,number,exponent", *lines))
    return dict(read_currencies(Source("currencies.csv", text)))


def test_decimals_are_two_but_for_the_known_exceptions() -> None:
    by_exponent: dict[int, set[str]] = {0: set(), 2: set(), 3: set(), 4: set()}
    for entry in CURRENCIES.values():
        by_exponent[entry.exponent].add(entry.code)
    assert by_exponent[0] == NO_DECIMALS
    assert by_exponent[3] == THREE_DECIMALS
    assert by_exponent[4] == FOUR_DECIMALS


@pytest.mark.parametrize("code", ["USD", "EUR", "GBP", "CHF", "AUD", "INR", "ZWG", "XCG"])
def test_active_currency_is_known(code: str) -> None:
    assert currency(code).code == code


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "XDR", "HRK", "DEM", "usd", ""])
def test_code_without_minor_unit_or_life_is_unknown(code: str) -> None:
    with pytest.raises(UnknownEntryError, match=f"currencies has no entry '{code}'"):
        currency(code)


def test_number_keeps_its_zeros() -> None:
    assert currency("AUD") == Currency("AUD", "036", 2)
    assert currency_by_number("036") is currency("AUD")


def test_every_currency_is_found_by_its_number() -> None:
    for entry in CURRENCIES.values():
        assert currency_by_number(entry.number) is entry


@pytest.mark.parametrize("number", ["999", "36", ""])
def test_unknown_number_is_an_error_that_names_it(number: str) -> None:
    with pytest.raises(UnknownEntryError, match=f"'{number}'"):
        currency_by_number(number)


def test_two_currencies_with_one_number_are_refused() -> None:
    with pytest.raises(CatalogueFileError, match="line 3: number '840' is already on line 2"):
        read("USD,840,2", "USN,840,2")


@pytest.mark.parametrize("line", ["US,840,2", "USD,84,2", "USD,840,", "USD,840,5", "USD,840,-1"])
def test_currency_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(CatalogueFileError, match=r"currencies\.csv, line 2: "):
        read(line)
