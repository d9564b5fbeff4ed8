"""The sandbox's cards: numbers anybody may know, and what the bank does when it sees one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from netvalve.banks.testbank.data import data_file
from netvalve.banks.testbank.misbehaviour import Misbehaviour, misbehaviour_of
from netvalve.catalogue.tables import Record, Source, records
from netvalve.domain.card import CardNumber, SecurityCode, passes_luhn

_COLUMNS = (
    "number",
    "expiry_month",
    "expiry_year",
    "security_code",
    "brand",
    "fault",
    "response_code",
    "outcome",
)
_NUMBER = re.compile(r"[0-9]{12,19}")
_MONTH = re.compile(r"0[1-9]|1[0-2]")
_YEAR = re.compile(r"20[0-9]{2}")
_WRONG_CODE = re.compile(r"0+")


@dataclass(frozen=True, slots=True)
class SandboxCard:
    """A card of no account. It is made up, so it may be shown whole."""

    number: str
    expiry_month: str
    expiry_year: str
    security_code: str
    brand: str
    misbehaviour: Misbehaviour | None
    """What happens to every charge of it; None approves."""
    outcome: str


def read_cards(source: Source) -> Mapping[str, SandboxCard]:
    """Reads the cards by number.

    Raises:
        CatalogueFileError: for a line that cannot be accepted.
    """
    rows = records(source, _COLUMNS, unique=("number",))
    return MappingProxyType({card.number: card for card in map(_card, rows)})


def _card(record: Record) -> SandboxCard:
    return SandboxCard(
        number=record.matching("number", _NUMBER),
        expiry_month=record.matching("expiry_month", _MONTH),
        expiry_year=record.matching("expiry_year", _YEAR),
        security_code=record.text("security_code"),
        brand=record.text("brand"),
        misbehaviour=misbehaviour_of(record) if record.optional_text("fault") else None,
        outcome=record.text("outcome"),
    )


CARDS: Final = read_cards(data_file("cards.csv"))


def of_card(number: CardNumber) -> Misbehaviour | None:
    """What the card asks for; a card that no line names is an ordinary one."""
    card = CARDS.get(number.reveal())
    return card.misbehaviour if card else None


def valid_number(number: CardNumber) -> bool:
    """Whether the check digit is right; that of a listed card is right as it is listed."""
    digits = number.reveal()
    return digits in CARDS or passes_luhn(digits)


def wrong_security_code(code: SecurityCode | None) -> bool:
    """Whether the code is the one that is always wrong: nothing but zeros."""
    return code is not None and _WRONG_CODE.fullmatch(code.reveal()) is not None
