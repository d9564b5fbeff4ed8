"""The last line of defence: what would show a card number or a secret is hidden before a line.

Nothing above this floor hands such a thing to a log. This is for the day somebody does.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from unicodedata import decimal

from netvalve.domain.card import is_card_number, masked

HIDDEN: Final = "<hidden>"

_DIGIT_RUN: Final = re.compile(
    r"\d{13,}"
    r"|(?<!\d)\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,7}(?!\d)"
    r"|(?<!\d)\d{4}[ -]\d{6}[ -]\d{4,5}(?!\d)"
)
"""Digits in one run, or in the groups that are printed on cards."""
_QUOTED_INPUT: Final = re.compile(r"input_value=.*?(?=, input_type=|$)", re.DOTALL)
"""Validation messages quote what was sent to them, which may be a security code."""

_CARD_LENGTHS: Final = range(13, 20)
"""Digits of a card number. Source: ISO/IEC 7812-1."""

_SECRET_ENDINGS: Final = (
    "password", "passwd", "passphrase", "secret", "token", "apikey", "privatekey", "authorization",
    "securitycode", "cvv", "cvv2", "cvc", "cardnumber", "cookie", "pepper", "keymaterial",
)  # fmt: skip
_SECRET_NAMES: Final = frozenset({"pan", "key", "keys", "track1", "track2", "pin"})
_NUMBER_NAMES: Final = ("id", "ID", "Id", "_ms", "_ns")
"""Endings of the names under which a whole number is an identifier or a time, never a card."""


@lru_cache(maxsize=1024)
def looks_secret(name: str) -> bool:
    """Whether a value of this name must not be seen, however the name is spelled."""
    plain = "".join(character for character in name.lower() if character.isalnum())
    return plain in _SECRET_NAMES or plain.endswith(_SECRET_ENDINGS)


def mask_text(text: str) -> str:
    """The text with every card number in it reduced to first six and last four."""
    if len(text) < _CARD_LENGTHS.start:
        return text
    if "input_value=" in text:
        text = _QUOTED_INPUT.sub(f"input_value={HIDDEN}", text)
    return _DIGIT_RUN.sub(_mask_run, text)


def mask_fields(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields of one event, all the way down, with nothing secret left in them."""
    return {name: _mask_field(name, value) for name, value in fields.items()}


def _mask_run(run: re.Match[str]) -> str:
    digits = "".join(str(decimal(each)) for each in run[0] if each.isdecimal())
    if len(digits) not in _CARD_LENGTHS:
        return HIDDEN
    return masked(digits[:6], digits[-4:]) if is_card_number(digits) else run[0]


def _mask_field(name: str, value: object) -> object:
    kind = type(value)
    if value is None or kind is bool:
        return value
    if looks_secret(name):
        return HIDDEN
    if kind is int and name.endswith(_NUMBER_NAMES):
        return value
    return _mask_value(value)


def _mask_value(value: object) -> object:
    """Plain JSON of any object, masked; what JSON does not know becomes its masked text."""
    match value:
        case str():
            return mask_text(value)
        case None | bool() | float():
            return value
        case int():
            text = mask_text(str(value))
            return value if text == str(value) else text
        case Mapping():
            return mask_fields({str(name): each for name, each in value.items()})
        case list() | tuple() | set() | frozenset():
            return [_mask_value(each) for each in value]
        case _:
            return mask_text(str(value))
