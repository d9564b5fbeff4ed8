"""The verdict: what must hold after every run, whatever the weather was.

Each check looks at independent witnesses: the answers that merchants were given, the gateway's
rows, the banks' books.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from netvalve.domain.bank_book import BookLine, BookState
from netvalve.domain.lifecycle import HOLDS_MONEY
from netvalve.domain.reconciliation import Sums, compare
from netvalve.payments.hold_ends import REASON as HOLD_OVER
from netvalve.simulation.premises import STORE_FILE
from netvalve.simulation.told import Told
from netvalve.storage.verification.positions import positions_of

if TYPE_CHECKING:
    from netvalve.simulation.world import World

APPROVED: Final = "GTW_1000"
PENDING: Final = "GTW_1002"
TIMED_OUT: Final = "GTW_2054"
_OPENS: Final = frozenset({"AUTHORIZATION", "SALE", "REBILL"})
_PATH_OF: Final = {"CAPTURE": "/capture", "REFUND": "/refund", "CANCEL": "/cancel"}
_ANSWERS: Final = frozenset({"/sale", "/authorize", "/rebill", "/inquiry", *_PATH_OF.values()})
_HELD: Final = frozenset(map(str, HOLDS_MONEY))
_NO_MONEY: Final = frozenset({"DECLINED", "FAILED", "REVERSING", "REVERSED"})

_TRANSACTIONS: Final = """
SELECT t.*, o.client_order_id, c.name AS client FROM transactions t
JOIN orders o USING (order_id) JOIN clients c ON c.client_id = t.client_id
ORDER BY t.transaction_id
"""
_UNENDED: Final = """
SELECT
    (SELECT count(*) FROM transactions WHERE state IN ('PENDING', 'REVERSING'))
    + (SELECT count(*) FROM forwards WHERE done_at_ms IS NULL)
"""

Row = Mapping[str, Any]
Message = tuple[str, str]
"""RRN and terminal, which only together are one message's own."""


@dataclass(slots=True)
class Evidence:
    """All that the checks look at."""

    told: list[Told] = field(default_factory=list)
    last_words: dict[int, Told] = field(default_factory=dict)
    """What inquiry says of a transaction when all is over."""
    breaches: list[str] = field(default_factory=list)
    """What `verify` has found at any restart."""
    settled_after_s: float = 0.0
    transactions: dict[int, Row] = field(default_factory=dict)
    orders: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    open_forwards: list[Row] = field(default_factory=list)
    book: tuple[BookLine, ...] = ()
    differences: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def settle(self, world: "World") -> None:
        """Take what store and books say at the end."""
        path = world.home / STORE_FILE
        self.transactions = {row["transaction_id"]: row for row in _rows(path, _TRANSACTIONS)}
        self.orders = _rows(path, "SELECT * FROM orders ORDER BY order_id")
        self.events = _rows(path, "SELECT * FROM events ORDER BY transaction_id, sequence")
        self.open_forwards = _rows(
            path, "SELECT * FROM forwards WHERE done_at_ms IS NULL ORDER BY transaction_id"
        )
        self.book = tuple(line for bank in world.banks for line in bank.lines())
        with positions_of(f"sqlite:///{path}", None) as positions:
            found = compare(positions, self.book)
        self.differences = [str(each) for each in found.differences]
        for code in sorted({*found.here, *found.there}):
            here, there = _kept(found.here[code]), _kept(found.there[code])
            if here != there:
                self.differences.append(f"{code}: {here} here and {there} there")
        self.faults = list(world.loop.faults)
        for row in self.events:
            world.chronicle.note(f"event {tuple(row.values())}")
        for bank in world.banks:
            world.chronicle.note(bank.text())


def unended(store: Path) -> int:
    """How many transactions and stored messages have not come to their end."""
    ((count,),) = _fetched(store, _UNENDED)
    return int(count)


def broken(evidence: Evidence) -> list[str]:
    """Every breach of what must hold, those of the first check first."""
    return [f"{check.__doc__} {breach}" for check in _CHECKS for breach in check(evidence)]


def _ended(evidence: Evidence) -> Iterator[str]:
    """Every transaction has ended."""
    for number, row in evidence.transactions.items():
        if row["state"] in {"PENDING", "REVERSING"}:
            yield f"transaction {number} is {row['state']}"
    for forward in evidence.open_forwards:
        yield f"transaction {forward['transaction_id']} has a {forward['kind']} waiting"
    for order in evidence.orders:
        if order["in_flight_id"] is not None or order["reserved_minor"]:
            yield f"order {order['order_id']} waits for transaction {order['in_flight_id']}"


def _books_agree(evidence: Evidence) -> Iterator[str]:
    """The banks' books and the gateway's agree."""
    yield from evidence.differences
    yield from _different_money(evidence)


def _different_money(evidence: Evidence) -> Iterator[str]:
    """By message: what is approved here is booked there, and nothing else is."""
    booked: Counter[Message] = Counter()
    for line in evidence.book:
        if line.moves_money and line.operation != "REVERSAL":
            booked[line.rrn, line.terminal_id] += 1
    for row in evidence.transactions.values():
        if not row["mti"]:
            continue
        wanted = 1 if row["state"] in _HELD else 0
        if booked.pop(_message(row), 0) != wanted:
            yield f"transaction {row['transaction_id']} is {row['state']}, booked otherwise"
    yield from (f"message {message} is booked, and nobody knows it" for message in booked)


def _word_is_kept(evidence: Evidence) -> Iterator[str]:
    """No merchant was told one thing and charged another."""
    words: dict[int, str] = {}
    for told in evidence.told:
        number, code = told.transaction_id, told.code
        if number is None or code is None or code == PENDING:
            continue
        row = evidence.transactions.get(number)
        if row is None:
            yield f"answer {told.number} tells of transaction {number}, which there is not"
        elif words.setdefault(number, code) != code:
            yield f"transaction {number} was {words[number]} and then {code} in {told.number}"
        elif code == APPROVED and row["state"] not in _HELD:
            yield f"transaction {number} was approved in {told.number} and is {row['state']}"
        elif code != APPROVED and row["state"] not in _NO_MONEY:
            yield f"transaction {number} was {code} in {told.number} and is {row['state']}"
    for number, told in evidence.last_words.items():
        if told.code != words.get(number, told.code) or told.code is None:
            yield f"transaction {number} was {words.get(number)}, and inquiry says {told.body}"


def _timed_out_keeps_nothing(evidence: Evidence) -> Iterator[str]:
    """What timed out keeps no money."""
    kept = {(line.rrn, line.terminal_id): line for line in evidence.book if line.moves_money}
    for told in evidence.told:
        row = evidence.transactions.get(told.transaction_id or 0)
        if told.code == TIMED_OUT and row is not None and _message(row) in kept:
            yield f"transaction {row['transaction_id']} is booked: {kept[_message(row)].text}"


def _refused_begins_nothing(evidence: Evidence) -> Iterator[str]:
    """An answer that nothing was begun is true."""
    by_trace = {row["trace_id"]: row for row in evidence.transactions.values()}
    for told in evidence.told:
        if told.status == 503 and isinstance(told.body, dict):
            row = by_trace.get(told.body.get("traceID"))
            if row is not None:
                yield f"answer {told.number} was 503, transaction {row['transaction_id']} is there"


def _charged_once(evidence: Evidence) -> Iterator[str]:
    """One clientOrderId is charged at most once."""
    charged: Counter[tuple[str, str]] = Counter()
    kept = {(line.rrn, line.terminal_id) for line in evidence.book if line.moves_money}
    for row in evidence.transactions.values():
        if row["type"] in _OPENS and row["client_order_id"] and _message(row) in kept:
            charged[row["client"], row["client_order_id"]] += 1
    yield from (
        f"{client} paid {order} {n} times" for (client, order), n in charged.items() if n > 1
    )


def _same_answer(evidence: Evidence) -> Iterator[str]:
    """An answer that is given again says the same in every field."""
    first: dict[int, Told] = {}
    for told in evidence.told:
        number = told.transaction_id
        if number is None or told.code in {None, PENDING} or told.path not in _ANSWERS:
            continue
        before = first.setdefault(number, told)
        differing = [name for name, value in before.body.items() if told.body.get(name) != value]
        if before.path == "/inquiry":
            differing = [name for name in differing if name in told.body]
        if differing:
            yield f"transaction {number}: {differing} in {before.number} and in {told.number}"


def _asked_for(evidence: Evidence) -> Iterator[str]:
    """Nothing is done that nobody asked for, and nothing more often than it was asked for."""
    asked: Counter[tuple[str, int]] = Counter()
    keys: set[tuple[str, str]] = set()
    for told in evidence.told:
        if told.path not in _PATH_OF.values() or (told.client, told.key or "") in keys:
            continue
        if told.key is not None:
            keys.add((told.client, told.key))
        asked[told.path, told.request["transactionID"]] += 1
    # A hold that is over the gateway cancels of itself.
    expired = {row["transaction_id"] for row in evidence.events if row["detail"] == HOLD_OVER}
    done: Counter[tuple[str, int]] = Counter()
    for row in evidence.transactions.values():
        if row["transaction_id"] in expired:
            continue
        if row["type"] in _PATH_OF and row["mti"]:
            done[_PATH_OF[row["type"]], row["parent_id"]] += 1
    for (path, parent), times in done.items():
        if times > asked[path, parent]:
            yield f"{path} of {parent} was asked {asked[path, parent]} times and done {times} times"


def _sums_hold(evidence: Evidence) -> Iterator[str]:
    """Refunds are no more than captures, captures no more than what was authorised."""
    for order in evidence.orders:
        amounts = order["refunded_minor"], order["captured_minor"], order["authorised_minor"]
        most = order["amount_minor"]
        if not 0 <= amounts[0] <= amounts[1] <= most or amounts[2] > most:
            yield f"order {order['order_id']}: {amounts} of {most}"
    for line in evidence.book:
        captured, refunded = line.captured_minor or 0, line.refunded_minor or 0
        if line.state is not BookState.DECLINED and not refunded <= captured <= line.amount_minor:
            yield f"message {line.rrn}: {line.text}"


def _store_is_sound(evidence: Evidence) -> Iterator[str]:
    """The store's own examination passes at every restart."""
    yield from evidence.breaches


def _no_fault(evidence: Evidence) -> Iterator[str]:
    """Nobody is told that the gateway is broken, and nothing breaks in it."""
    for told in evidence.told:
        if told.status == 500:
            yield f"answer {told.number} to {told.path}: {told.body}"
    yield from evidence.faults


def _in_time(evidence: Evidence) -> Iterator[str]:
    """Every payment is answered before its merchant gives up."""
    for told in evidence.told:
        if told.late:
            yield f"request {told.number} to {told.path} had no answer"


_CHECKS: Final[tuple[Callable[[Evidence], Iterator[str]], ...]] = (
    _ended,
    _books_agree,
    _word_is_kept,
    _timed_out_keeps_nothing,
    _refused_begins_nothing,
    _charged_once,
    _same_answer,
    _asked_for,
    _sums_hold,
    _store_is_sound,
    _no_fault,
    _in_time,
)


def _message(row: Row) -> Message:
    return row["rrn"], row["terminal_id"]


def _kept(sums: Sums) -> tuple[int, int, int]:
    """Captured, refunded, held. What is undone is nobody's money, and may be of a part."""
    return sums.captured_minor, sums.refunded_minor, sums.held_minor


def _rows(path: Path, query: str) -> list[Row]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def _fetched(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()
