"""Money: an integer of minor units with its currency; decimals exist only at the edge."""

from decimal import Decimal

from netvalve.catalogue.currencies import Currency

AMOUNT_MINOR_MAX = 999_999_999_999
"""Twelve digits of minor units. Source: ISO 8583:1987, field 4."""


def minor_units(amount: Decimal, currency: Currency) -> int | None:
    """The amount in minor units, or None when it has more decimals than the currency.

    Trailing zeros do not count: 12.000 is twelve in any currency.
    """
    scaled = amount.scaleb(currency.exponent)
    whole = scaled.to_integral_value()
    return int(whole) if whole == scaled else None


def major_units(amount_minor: int, currency: Currency) -> int | float:
    """The amount as the JSON number of the contract: `7`, `12.5`; exact for twelve digits."""
    if currency.exponent == 0:
        return amount_minor
    unit: int = 10**currency.exponent
    whole, rest = divmod(amount_minor, unit)
    return amount_minor / unit if rest else whole


def major_text(amount_minor: int, currency: Currency) -> str:
    """The amount as text with all of the currency's decimals: `12.50`, `7` for yen."""
    if currency.exponent == 0:
        return str(amount_minor)
    sign = "-" if amount_minor < 0 else ""
    whole, rest = divmod(abs(amount_minor), 10**currency.exponent)
    return f"{sign}{whole}.{rest:0{currency.exponent}d}"
