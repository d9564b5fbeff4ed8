"""Countries are the 249 of ISO 3166-1."""

import pytest

from netvalve.catalogue.countries import COUNTRIES, Country, read_countries
from netvalve.catalogue.errors import CatalogueFileError
from netvalve.catalogue.tables import Source


def read(*lines: str) -> dict[str, Country]:
    text = "\n".join(("alpha_2,alpha_3,number,name", *lines))
    return dict(read_countries(Source("countries.csv", text)))


def test_all_assigned_countries_are_known() -> None:
    assert len(COUNTRIES) == 249


@pytest.mark.parametrize(
    ("alpha_2", "alpha_3", "number", "name"),
    [
        ("US", "USA", "840", "United States"),
        ("BG", "BGR", "100", "Bulgaria"),
        ("AF", "AFG", "004", "Afghanistan"),
        ("AX", "ALA", "248", "Åland Islands"),
        ("VA", "VAT", "336", "Holy See (Vatican City State)"),
    ],
)
def test_country_has_its_codes(alpha_2: str, alpha_3: str, number: str, name: str) -> None:
    assert COUNTRIES[alpha_2] == Country(alpha_2, alpha_3, number, name)


@pytest.mark.parametrize("code", ["UK", "XK", "EU", "us", "AN"])
def test_code_that_is_not_assigned_is_unknown(code: str) -> None:
    assert code not in COUNTRIES


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("US,ZZZ,999,Nowhere", "alpha_2"),
        ("ZZ,USA,999,Nowhere", "alpha_3"),
        ("ZZ,ZZZ,840,Nowhere", "number"),
        ("ZZ,ZZZ,999,United States", "name"),
    ],
)
def test_country_that_shares_anything_with_another_is_refused(line: str, column: str) -> None:
    with pytest.raises(CatalogueFileError, match=f"line 3: {column} .* is already on line 2"):
        read("US,USA,840,United States", line)


@pytest.mark.parametrize("line", ["U,USA,840,X", "US,US,840,X", "US,USA,84,X", "US,USA,840,"])
def test_country_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(CatalogueFileError, match=r"countries\.csv, line 2: "):
        read(line)
