"""Reconciliation: what the gateway has approved against what a bank has booked. Pure.

A message is known on both sides by its RRN and terminal (fields 37 and 41). What is approved here
must be booked there with the same amount and currency, and the other way round.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from netvalve.domain.bank_book import BookLine, BookState
from netvalve.domain.bank_message import BankOperation
from netvalve.domain.lifecycle import State
from netvalve.domain.position import Position
from netvalve.domain.transaction import CHARGES, TransactionType


class Verdict(Enum):
    """What differs, and what to do about it."""

    NOT_BOOKED = "Ask the bank for this RRN: it has to book it, or the merchant to give it back."
    BOOKED = "Have the bank undo it: the merchant was told that it failed."
    UNKNOWN = "Find out who sent it, and have the bank undo it if nothing was sold."
    TWICE = "Have the bank undo all but one of the lines with this RRN."
    OPERATION = "Ask the bank for this RRN: it has booked another operation than was sent."
    MONEY = "Settle the amount with the bank: the merchant was told the gateway's."
    STATE = "Ask the bank what became of it: its order stands elsewhere here."


@dataclass(frozen=True, slots=True)
class Difference:
    """One message on which gateway and bank do not agree."""

    transaction_id: int | None
    """None where the gateway has no such message."""
    rrn: str
    here: str
    there: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Waiting:
    """A transaction that is still being ended, or has moved since the book; no difference yet."""

    transaction_id: int
    rrn: str
    here: str
    there: str


@dataclass(slots=True)
class Sums:
    """The money of one side in one currency, in minor units."""

    captured_minor: int = 0
    refunded_minor: int = 0
    held_minor: int = 0
    reversed_minor: int = 0


@dataclass(slots=True)
class Reconciliation:
    """What a comparison has found."""

    agreed: int = 0
    """Messages that both sides have alike."""
    here: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    there: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    waiting: list[Waiting] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Period:
    """What the book has to hold, by the time of opening in milliseconds; open ends are None."""

    since_ms: int | None = None
    until_ms: int | None = None

    def holds(self, at_ms: int) -> bool:
        """From `since_ms` on, before `until_ms`."""
        return (self.since_ms is None or at_ms >= self.since_ms) and (
            self.until_ms is None or at_ms < self.until_ms
        )

    def ends_before(self, at_ms: int) -> bool:
        """Whether what happened at this time may be missing in the book."""
        return self.until_ms is not None and at_ms >= self.until_ms


EVER = Period()
NOTHING = "-"
"""What a side says of a message that it does not have."""
_ENDING = frozenset({State.PENDING, State.REVERSING})
_OPERATION: Mapping[TransactionType, BankOperation] = {
    TransactionType.AUTHORIZATION: BankOperation.AUTHORIZE,
    TransactionType.SALE: BankOperation.SALE,
    TransactionType.REBILL: BankOperation.REBILL,
    TransactionType.CAPTURE: BankOperation.CAPTURE,
    TransactionType.REFUND: BankOperation.REFUND,
    TransactionType.CANCEL: BankOperation.CANCEL,
}
_CHARGED = frozenset({BankOperation.SALE, BankOperation.REBILL, BankOperation.CAPTURE})
_UNDONE_HOLDS = {State.APPROVED: BookState.HELD, State.CANCELLED: BookState.CANCELLED}

Key = tuple[str, str]


def compare(
    positions: Iterable[Position], book: Iterable[BookLine], period: Period = EVER
) -> Reconciliation:
    """Compare all of a gateway with a book of which only `period` has to be complete.

    Memory grows with the book, not with the gateway.
    """
    found = Reconciliation()
    lines = _by_key(book, found)
    for position in positions:
        line = lines.pop((position.rrn, position.terminal_id), None)
        if line is None and not period.holds(position.opened_at_ms):
            continue
        _count_here(position, line, found)
        verdict = _verdict(position, line)
        if position.state in _ENDING or (
            verdict is not None and period.ends_before(position.order_updated_at_ms)
        ):
            found.waiting.append(
                Waiting(position.transaction_id, position.rrn, position.text, _text(line))
            )
        elif verdict is None:
            found.agreed += 1
        else:
            found.differences.append(_difference(position, line, verdict))
    found.differences += (
        Difference(None, line.rrn, NOTHING, line.text, Verdict.UNKNOWN)
        for line in lines.values()
        if line.moves_money
    )
    return found


def _by_key(book: Iterable[BookLine], found: Reconciliation) -> dict[Key, BookLine]:
    """The book's lines but its reversals, which show on the lines that they undid.

    Of several with one key, as of an attempt that was refused first, the one that moves money.
    """
    lines: dict[Key, BookLine] = {}
    for line in book:
        _count_there(line, found)
        if line.operation is BankOperation.REVERSAL:
            continue
        key = line.rrn, line.terminal_id
        first = lines.get(key)
        if first is None or not first.moves_money:
            lines[key] = line
        elif line.moves_money:
            found.differences.append(
                Difference(None, line.rrn, first.text, line.text, Verdict.TWICE)
            )
    return lines


def _verdict(position: Position, line: BookLine | None) -> Verdict | None:
    """What differs between two sides of one message; None where they agree."""
    booked = line is not None and line.moves_money
    if not position.approved:
        return Verdict.BOOKED if booked else None
    if line is None or not booked:
        return Verdict.NOT_BOOKED
    if line.operation is not _OPERATION[position.type]:
        return Verdict.OPERATION
    if (line.amount_minor, line.currency) != (position.amount_minor, position.currency):
        return Verdict.MONEY
    return _verdict_of_order(position, line)


def _verdict_of_order(position: Position, line: BookLine) -> Verdict | None:
    """The state of a line, and the money of the order on the line that opened it."""
    if position.order_in_flight and position.opens:
        return None
    if line.state is not _booked_as(position):
        return Verdict.STATE
    if not position.opens:
        return None
    there = (line.captured_minor, line.refunded_minor)
    here = (position.order_captured_minor, position.order_refunded_minor)
    agree = all(each in {None, own} for each, own in zip(there, here, strict=True))
    return None if agree else Verdict.MONEY


def _booked_as(position: Position) -> BookState:
    """How a bank that agrees has booked what is approved here."""
    match position.type:
        case TransactionType.REFUND:
            return BookState.REFUNDED
        case TransactionType.CANCEL:
            return BookState.CANCELLED
        case TransactionType.AUTHORIZATION:
            return _UNDONE_HOLDS.get(position.state, BookState.CAPTURED)
        case _:
            return BookState.CAPTURED


def _count_here(position: Position, line: BookLine | None, found: Reconciliation) -> None:
    sums, amount_minor = found.here[position.currency], position.amount_minor
    if position.state is State.REVERSED:
        if line and line.state is BookState.REVERSED:  # what it had booked, be it a part
            found.here[line.currency].reversed_minor += line.amount_minor
    elif not position.approved:
        return
    elif position.type in CHARGES:
        sums.captured_minor += amount_minor
    elif position.type is TransactionType.REFUND:
        sums.refunded_minor += amount_minor
    elif position.type is TransactionType.AUTHORIZATION and position.state is State.APPROVED:
        sums.held_minor += amount_minor


def _count_there(line: BookLine, found: Reconciliation) -> None:
    sums, amount_minor = found.there[line.currency], line.amount_minor
    if line.operation is BankOperation.REVERSAL:
        return
    if line.state is BookState.REVERSED:
        sums.reversed_minor += amount_minor
    elif line.state is BookState.CAPTURED and line.operation in _CHARGED:
        sums.captured_minor += amount_minor
    elif line.state is BookState.REFUNDED:
        sums.refunded_minor += amount_minor
    elif line.state is BookState.HELD:
        sums.held_minor += amount_minor - (line.captured_minor or 0)


def _difference(position: Position, line: BookLine | None, verdict: Verdict) -> Difference:
    return Difference(position.transaction_id, position.rrn, position.text, _text(line), verdict)


def _text(line: BookLine | None) -> str:
    return NOTHING if line is None else line.text
