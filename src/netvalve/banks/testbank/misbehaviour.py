"""Faults on demand: what can go wrong, and which amounts and cards ask for it.

The rows lie in `data/faults.csv` and `data/cards.csv`; the tables of `docs/sandbox.md` are made
from them. An amount asks for a fault when it is a whole number of major units from 5000 up:

    50NN  the bank answers field 39 = NN
    51NN  the bank serves the message well and answers its captures, cancels and refunds NN
    60NN  the fault NN of the table happens to the message
    61NN  the bank serves the message well; the fault NN happens to what follows it
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from netvalve.banks.testbank.data import data_file
from netvalve.catalogue.currencies import Currency
from netvalve.catalogue.tables import Record, Source, records


class Fault(StrEnum):
    """What the bank can do wrong, or do as it is told."""

    CODE = "code"
    """Answer a given field 39."""
    SILENT = "silent"
    SILENT_ONCE = "silent_once"
    LATE = "late"
    TWICE = "twice"
    GARBLED = "garbled"
    HALF = "half"
    CUT_BEFORE_BOOKING = "cut_before_booking"
    CUT_AFTER_BOOKING = "cut_after_booking"
    LOST = "lost"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_CURRENCY = "wrong_currency"
    SLOW = "slow"


NEVER_BOOKED: Final = frozenset({Fault.CUT_BEFORE_BOOKING, Fault.LOST})

CODE_OF_MESSAGE: Final = 5000
CODE_OF_FOLLOW_UPS: Final = 5100
FAULT_OF_MESSAGE: Final = 6000
FAULT_OF_FOLLOW_UPS: Final = 6100
_SPAN = 100


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """One fault with what it needs to know."""

    fault: Fault
    response_code: str | None = None
    """Field 39, for `code`."""
    delay_s: float | None = None
    """For `slow` and `late`; None is the bank's own lateness."""

    @property
    def ordered_code(self) -> str | None:
        """The answer that is asked for."""
        return self.response_code if self.fault is Fault.CODE else None


@dataclass(frozen=True, slots=True)
class FaultRow:
    """A fault that amounts ask for, and in words what comes of it.

    A charge is an authorization, a sale or a rebill; its follow-ups are its capture, its cancel
    and its refunds. Where nothing is said of follow-ups the fault does not happen to them.
    """

    last_digits: str
    misbehaviour: Misbehaviour
    at_the_bank: str
    charge_answer: str
    charge_end: str
    follow_up_answer: str | None
    follow_up_end: str | None


_COLUMNS = (
    "last_digits",
    "fault",
    "response_code",
    "delay_s",
    "at_the_bank",
    "charge_answer",
    "charge_end",
    "follow_up_answer",
    "follow_up_end",
)
_DIGITS = re.compile(r"[0-9]{2}")


def read_faults(source: Source) -> Mapping[str, FaultRow]:
    """Reads the faults by the last two digits of the amounts that ask for them.

    Raises:
        CatalogueFileError: for a line that cannot be accepted.
    """
    rows = records(source, _COLUMNS, unique=("last_digits",))
    return MappingProxyType({row.last_digits: row for row in map(_fault_row, rows)})


def misbehaviour_of(record: Record) -> Misbehaviour:
    """Reads the cells `fault` and `response_code` of a line.

    Raises:
        CatalogueFileError: the two contradict each other.
    """
    fault = record.choice("fault", Fault)
    response_code = record.optional_text("response_code")
    if (fault is Fault.CODE) != (response_code is not None):
        raise record.refused("response_code goes with the fault code, and with no other")
    return Misbehaviour(fault, response_code)


def _fault_row(record: Record) -> FaultRow:
    misbehaviour = misbehaviour_of(record)
    delay_s = record.optional_text("delay_s")
    if delay_s is not None:
        misbehaviour = Misbehaviour(misbehaviour.fault, misbehaviour.response_code, float(delay_s))
    return FaultRow(
        last_digits=record.matching("last_digits", _DIGITS),
        misbehaviour=misbehaviour,
        at_the_bank=record.text("at_the_bank"),
        charge_answer=record.text("charge_answer"),
        charge_end=record.text("charge_end"),
        follow_up_answer=record.optional_text("follow_up_answer"),
        follow_up_end=record.optional_text("follow_up_end"),
    )


FAULTS: Final = read_faults(data_file("faults.csv"))
_OF_CHARGES_ALONE: Final = frozenset(
    row.misbehaviour for row in FAULTS.values() if row.follow_up_answer is None
)


def of_charge(amount_minor: int, currency: Currency) -> Misbehaviour | None:
    """What the amount of an authorization, a sale or a rebill asks for."""
    return _asked_for(amount_minor, currency, CODE_OF_MESSAGE, FAULT_OF_MESSAGE)


def of_follow_up(
    amount_minor: int | None, opening_minor: int, currency: Currency
) -> Misbehaviour | None:
    """What its own amount asks of a follow-up, else what the amount of its opening does.

    `amount_minor` is None for a cancel, which has no amount of its own.
    """
    asked = None
    if amount_minor is not None:
        asked = _asked_for(amount_minor, currency, CODE_OF_MESSAGE, FAULT_OF_MESSAGE)
    asked = asked or _asked_for(opening_minor, currency, CODE_OF_FOLLOW_UPS, FAULT_OF_FOLLOW_UPS)
    return None if asked in _OF_CHARGES_ALONE else asked


def _asked_for(
    amount_minor: int, currency: Currency, code_base: int, fault_base: int
) -> Misbehaviour | None:
    whole, rest = divmod(amount_minor, 10**currency.exponent)
    if rest:
        return None
    if code_base <= whole < code_base + _SPAN:
        return Misbehaviour(Fault.CODE, f"{whole - code_base:02d}")
    if fault_base <= whole < fault_base + _SPAN:
        row = FAULTS.get(f"{whole - fault_base:02d}")
        return row.misbehaviour if row else None
    return None
