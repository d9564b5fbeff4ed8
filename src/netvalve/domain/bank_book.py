"""A bank's book as CSV: one line a message, as the bank has booked it.

Pure: lines of text in, records out. The columns are documented in docs/reconciliation.md.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from netvalve.catalogue.currencies import CURRENCIES, currency
from netvalve.domain.bank_message import BankOperation
from netvalve.domain.money import major_text


class BookState(StrEnum):
    """What stands behind a line of the book."""

    HELD = "HELD"
    CAPTURED = "CAPTURED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"
    REVERSED = "REVERSED"
    REMEMBERED = "REMEMBERED"
    """A reversal of a message that never came."""
    DECLINED = "DECLINED"


@dataclass(frozen=True, slots=True)
class BookLine:
    """One message in the bank's book."""

    rrn: str
    terminal_id: str
    operation: BankOperation
    currency: str
    amount_minor: int
    state: BookState
    captured_minor: int | None = None
    """Of the whole order, on the line that opened it; None where the book does not say."""
    refunded_minor: int | None = None

    @property
    def moves_money(self) -> bool:
        """Whether the bank holds, has taken, given back or released money for it."""
        return self.state not in _NO_MONEY

    @property
    def text(self) -> str:
        """`SALE CAPTURED 12.00 USD, order captured 12.00, refunded 2.00`."""
        money = currency(self.currency)
        text = f"{self.operation} {self.state} {major_text(self.amount_minor, money)} {money.code}"
        if not self.captured_minor:
            return text
        captured = major_text(self.captured_minor, money)
        refunded = major_text(self.refunded_minor or 0, money)
        return f"{text}, order captured {captured}, refunded {refunded}"


_NO_MONEY = frozenset({BookState.DECLINED, BookState.REVERSED, BookState.REMEMBERED})


class BookError(Exception):
    """A line cannot be read; the message names it and says why."""


REQUIRED = ("rrn", "terminal", "operation", "currency", "amount_minor", "state")
"""The columns that every book has, in any order, between any others."""


def book_lines(text: Iterable[str]) -> Iterator[BookLine]:
    """The lines of a book whose first line names its columns.

    Raises:
        BookError: a column is missing, or a value makes no sense.
    """
    rows = csv.DictReader(text)
    missing = [name for name in REQUIRED if name not in (rows.fieldnames or ())]
    if missing:
        raise BookError(f"the book has no column {', '.join(missing)}")
    for row in rows:
        try:
            yield _line(row)
        except (ValueError, TypeError) as error:
            raise BookError(f"line {rows.line_num} of the book: {error}") from None


def _line(row: Mapping[str, str]) -> BookLine:
    if row["currency"] not in CURRENCIES:
        raise ValueError(f"{row['currency']!r} is not a currency")
    return BookLine(
        rrn=row["rrn"],
        terminal_id=row["terminal"].rstrip(),
        operation=BankOperation(row["operation"]),
        currency=row["currency"],
        amount_minor=int(row["amount_minor"]),
        state=BookState(row["state"]),
        captured_minor=_optional_minor(row.get("captured_minor")),
        refunded_minor=_optional_minor(row.get("refunded_minor")),
    )


def _optional_minor(text: str | None) -> int | None:
    return int(text) if text else None
