"""The rules of the fields of a card."""

import re

from netvalve.api.models import rules
from netvalve.domain.card import CardNumber, SecurityCode, is_card_number

_MONTH = re.compile(r"0[1-9]|1[0-2]")
_YEAR = re.compile(r"2[0-9]{3}")
_CODE = re.compile(r"[0-9]{3,4}")


def card_number(value: object) -> CardNumber:
    """12 to 19 digits that pass the Luhn check."""
    value = rules.digits_or_text(value)
    if not isinstance(value, str):
        raise rules.refused("GTW_2005")
    if not value:
        raise rules.refused("GTW_2032")
    if len(value) > 40:
        raise rules.refused("GTW_2033")
    if not (value.isascii() and value.isdigit()):
        raise rules.refused("GTW_2005")
    if not 12 <= len(value) <= 19 or not is_card_number(value):
        raise rules.refused("GTW_2034")
    return CardNumber(value)


def expiry_month(value: object) -> str:
    """Two digits; a number, which cannot carry a zero, is padded."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 13:
        value = f"{value:02d}"
    if value == "":
        raise rules.refused("GTW_2023")
    if not isinstance(value, str) or not _MONTH.fullmatch(value):
        raise rules.refused("GTW_2024")
    return value


def expiry_year(value: object) -> str:
    """Four digits from 2000 to 2999; whether the card has expired is the bank's to say."""
    value = rules.digits_or_text(value)
    if value == "":
        raise rules.refused("GTW_2035")
    if not isinstance(value, str) or not _YEAR.fullmatch(value):
        raise rules.refused("GTW_2066")
    return value


def security_code(value: object) -> SecurityCode:
    """Three or four digits."""
    value = rules.digits_or_text(value)
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise rules.refused("GTW_2006")
    return SecurityCode(value)
