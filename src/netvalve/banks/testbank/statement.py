"""The book as an operator reads it: totals, the latest entries, the whole of it as CSV.

Reads on connections of its own that cannot write. Shows no card but its first six and last four.
"""

import csv
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Final

from netvalve.banks.testbank.book import FILE
from netvalve.banks.testbank.entry import Entry
from netvalve.banks.testbank.ledger import COLUMNS, entry_of

CSV_COLUMNS: Final = (
    "rrn",
    "stan",
    "terminal",
    "transmitted_at",
    "mti",
    "operation",
    "currency",
    "amount_minor",
    "captured_minor",
    "refunded_minor",
    "state",
    "response_code",
    "auth_code",
    "booked_at",
)
LATEST_MAX: Final = 1000
_ROWS_AT_ONCE: Final = 2000

_ALL: Final = f"SELECT {COLUMNS} FROM entries ORDER BY id"  # noqa: S608  # constants alone
_LATEST: Final = f"""
    SELECT {COLUMNS} FROM entries WHERE :rrn IS NULL OR rrn = :rrn
    ORDER BY id DESC LIMIT :limit"""  # noqa: S608
_COUNTS: Final = """
    SELECT operation, state, response_code, count(*) FROM entries
    GROUP BY operation, state, response_code ORDER BY operation, state, response_code"""
_MONEY: Final = """
    SELECT currency, sum(held_minor), sum(captured_minor), sum(refunded_minor) FROM balances
    GROUP BY currency ORDER BY currency"""


@dataclass(frozen=True, slots=True)
class Count:
    """How many messages ended alike."""

    operation: str
    state: str
    response_code: str
    messages: int


@dataclass(frozen=True, slots=True)
class Money:
    """The money of all cards in one currency, in minor units."""

    currency: str
    held_minor: int
    captured_minor: int
    refunded_minor: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The book in a few numbers."""

    counts: tuple[Count, ...]
    money: tuple[Money, ...]


class Statement:
    """Every call reads the book as it is at that moment; calls block, so make them on a thread."""

    def __init__(self, home: Path) -> None:
        self._uri = f"{(home / FILE).absolute().as_uri()}?mode=ro"

    def totals(self) -> Totals:
        """Sums over the whole book."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN")
            return Totals(
                tuple(Count(*row) for row in connection.execute(_COUNTS)),
                tuple(Money(*row) for row in connection.execute(_MONEY)),
            )

    def latest(self, limit: int, rrn: str | None = None) -> tuple[Entry, ...]:
        """The newest entries first, all or those of one retrieval reference number."""
        with closing(self._connect()) as connection:
            rows = connection.execute(_LATEST, {"rrn": rrn, "limit": limit})
            return tuple(entry_of(row) for row in rows)

    def csv(self) -> Iterator[str]:
        """The whole book, oldest first, piece by piece, from one consistent snapshot."""
        with closing(self._connect()) as connection:
            rows = connection.execute(_ALL)
            yield _csv_text([CSV_COLUMNS])
            while some := rows.fetchmany(_ROWS_AT_ONCE):
                yield _csv_text([_csv_row(entry_of(row)) for row in some])

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._uri, uri=True, isolation_level=None, check_same_thread=False)


def booked_at(entry: Entry) -> str:
    """`2024-11-08T12:38:58.140+00:00`."""
    moment = datetime.fromtimestamp(entry.booked_at_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds")


def _csv_row(entry: Entry) -> tuple[object, ...]:
    return (
        entry.rrn,
        entry.stan,
        entry.terminal_id,
        entry.transmitted_at,
        entry.message_type,
        entry.operation.value,
        entry.currency,
        entry.amount_minor,
        entry.captured_minor,
        entry.refunded_minor,
        entry.state.value,
        entry.response_code,
        entry.auth_code,
        booked_at(entry),
    )


def _csv_text(rows: Sequence[tuple[object, ...]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
