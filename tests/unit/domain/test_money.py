"""Money keeps every minor unit on its way in and out."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netvalve.catalogue.currencies import CURRENCIES, currency
from netvalve.domain.money import AMOUNT_MINOR_MAX, major_text, major_units, minor_units

currencies = st.sampled_from(sorted(CURRENCIES.values(), key=lambda each: each.code))
amounts = st.integers(min_value=0, max_value=AMOUNT_MINOR_MAX)


@given(amounts, currencies)
def test_an_amount_comes_back_from_its_json_number_to_the_last_unit(amount_minor, money):
    shown = major_units(amount_minor, money)
    assert minor_units(Decimal(repr(shown)), money) == amount_minor


@given(amounts, currencies)
def test_an_amount_comes_back_from_its_text_to_the_last_unit(amount_minor, money):
    assert minor_units(Decimal(major_text(amount_minor, money)), money) == amount_minor


@pytest.mark.parametrize(
    ("amount", "code", "minor"),
    [
        ("7", "USD", 700),
        ("43.1", "USD", 4310),
        ("12.000", "USD", 1200),
        ("12.005", "USD", None),
        ("7", "JPY", 7),
        ("7.5", "JPY", None),
        ("1.234", "KWD", 1234),
        ("1.2345", "KWD", None),
    ],
)
def test_at_most_the_currencys_decimals_are_taken(amount, code, minor):
    assert minor_units(Decimal(amount), currency(code)) == minor
