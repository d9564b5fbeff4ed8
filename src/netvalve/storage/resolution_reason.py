"""What an operator may give as the reason of a resolution: it is kept in the history for ever."""

import re
import unicodedata
from itertools import combinations
from typing import Final

from netvalve.domain.card import is_card_number
from netvalve.storage.account_rules import AdministrationError

REASON_LENGTH_MAX: Final = 500
_CARD_LENGTHS: Final = range(13, 20)
"""Digits of a card number. Source: ISO/IEC 7812-1."""
_NUMBER: Final = re.compile(r"\d+(?:\D{1,3}\d+)*")
"""Groups of digits that may be one number: parted by anything, but not by a word."""
_GROUP: Final = re.compile(r"\d+")


def checked_reason(given: str) -> str:
    """The reason on one line.

    Raises:
        AdministrationError: it says nothing, too much, or what may be a card number.
    """
    reason = " ".join(given.split())
    if not reason or not reason.isprintable():
        raise AdministrationError("a reason is needed, in plain text: it is kept in the history")
    if len(reason) > REASON_LENGTH_MAX:
        raise AdministrationError(f"a reason has at most {REASON_LENGTH_MAX} characters")
    if any(map(_may_hold_a_card, _NUMBER.findall(reason))):
        raise AdministrationError(
            "a reason names no card number, nor digits that may be one: put a word between numbers"
        )
    return reason


def _may_hold_a_card(number: str) -> bool:
    """Whether groups side by side make a card's number, or one is too long to be told apart."""
    groups = [_plain(group) for group in _GROUP.findall(number)]
    runs = ("".join(groups[first:end]) for first, end in combinations(range(len(groups) + 1), 2))
    return any(len(run) in _CARD_LENGTHS and is_card_number(run) for run in runs) or any(
        len(group) >= _CARD_LENGTHS.stop for group in groups
    )


def _plain(digits: str) -> str:
    """The digits of any script in ours."""
    return "".join(str(unicodedata.decimal(digit)) for digit in digits)
