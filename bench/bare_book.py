"""The bare bank's book: its messages in the order they came, made into lines at the end.

Pure but for the file it writes. A repeat is the same message; a capture, a refund, a cancel or a
reversal changes the line that opened its order.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from netvalve.banks.iso8583.specification import MessageType, ProcessingCode
from netvalve.catalogue.currencies import currency_by_number
from netvalve.domain.bank_book import BookState
from netvalve.domain.bank_message import BankOperation

COLUMNS: Final = (
    "rrn", "terminal", "operation", "currency", "amount_minor", "captured_minor",
    "refunded_minor", "state",
)  # fmt: skip
_OPERATIONS: Final = {
    MessageType.AUTHORIZE: BankOperation.AUTHORIZE,
    MessageType.ADVICE: BankOperation.CAPTURE,
    MessageType.CANCEL: BankOperation.CANCEL,
    MessageType.REVERSAL: BankOperation.REVERSAL,
}
_OPENED_AS: Final = {
    BankOperation.AUTHORIZE: BookState.HELD,
    BankOperation.SALE: BookState.CAPTURED,
    BankOperation.REBILL: BookState.CAPTURED,
    BankOperation.CAPTURE: BookState.CAPTURED,
    BankOperation.REFUND: BookState.REFUNDED,
    BankOperation.CANCEL: BookState.CANCELLED,
    BankOperation.REVERSAL: BookState.REVERSED,
}


class Booked(NamedTuple):
    """One message, as far as a book needs it; nothing of the card."""

    message_type: bytes
    processing_code: bytes
    amount: bytes
    transmitted_at: bytes
    stan: bytes
    rrn: bytes
    terminal: bytes
    currency: bytes
    original: bytes
    """STAN and time of the message that this one is about; empty where it opens an order."""
    rebill: bool
    final: bool

    @property
    def operation(self) -> BankOperation:
        """What it asks for; a repeat asks for the same."""
        first_type = f"{self.message_type[:3].decode()}0"
        if first_type in _OPERATIONS:
            return _OPERATIONS[first_type]
        if self.processing_code.decode() == ProcessingCode.REFUND:
            return BankOperation.REFUND
        return BankOperation.REBILL if self.rebill else BankOperation.SALE


@dataclass(slots=True)
class Line:
    """One line of the book, and where its order stands."""

    rrn: str
    terminal: str
    operation: BankOperation
    currency: str
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    state: BookState


def lines_of(booked: Iterable[Booked]) -> Iterator[Line]:
    """The lines, each message once, after everything that has happened to its order."""
    openings: dict[bytes, Line] = {}
    lines = []
    for each in booked:
        key = each.terminal + each.stan + each.transmitted_at
        if key in openings:
            continue
        line = _line(each)
        lines.append(line)
        openings[key] = opening = openings.get(each.terminal + each.original, line)
        if opening is not line:
            _follow(opening, line, final=each.final)
    return iter(lines)


def write_book(booked: Iterable[Booked], path: Path) -> int:
    """Write it as CSV; how many lines there are."""
    written = 0
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(COLUMNS)
        for line in lines_of(booked):
            rows.writerow([getattr(line, name) for name in COLUMNS])
            written += 1
    return written


def _line(each: Booked) -> Line:
    operation, amount_minor = each.operation, int(each.amount)
    opens_captured = operation in {BankOperation.SALE, BankOperation.REBILL}
    return Line(
        rrn=each.rrn.decode(),
        terminal=each.terminal.decode().rstrip(),
        operation=operation,
        currency=currency_by_number(each.currency.decode()).code,
        amount_minor=amount_minor,
        captured_minor=amount_minor if opens_captured else 0,
        refunded_minor=0,
        state=_OPENED_AS[operation],
    )


def _follow(opening: Line, line: Line, *, final: bool) -> None:
    match line.operation:
        case BankOperation.CAPTURE:
            opening.captured_minor += line.amount_minor
            if final or opening.captured_minor >= opening.amount_minor:
                opening.state = BookState.CAPTURED
        case BankOperation.REFUND:
            opening.refunded_minor += line.amount_minor
        case BankOperation.CANCEL:
            opening.state = BookState.CANCELLED
        case BankOperation.REVERSAL:
            opening.state, opening.captured_minor = BookState.REVERSED, 0
