"""The statements by which one message is looked up and booked, inside a transaction of the book."""

import dataclasses
import sqlite3
from operator import attrgetter
from typing import Any, Final

from netvalve.banks.testbank.entry import Balance, Entry, State
from netvalve.banks.testbank.request import MessageKey, OriginalElements
from netvalve.domain.bank_message import BankOperation

_NAMES: Final = tuple(field.name for field in dataclasses.fields(Entry))
_VALUES: Final = attrgetter(*_NAMES)
_OPERATION: Final = _NAMES.index("operation")
_STATE: Final = _NAMES.index("state")

COLUMNS: Final = ", ".join(_NAMES).replace("entry_id", "id")

# Every statement is made of the constants above; values travel as parameters.
_BY_KEY: Final = f"""
    SELECT {COLUMNS} FROM entries
    WHERE stan = ? AND transmitted_at = ? AND terminal_id = ? AND acquirer_id = ?"""  # noqa: S608
_BY_ORIGINAL: Final = f"""
    SELECT {COLUMNS} FROM entries
    WHERE stan = ? AND transmitted_at = ? AND acquirer_id = ? AND message_type = ?
      AND (? IS NULL OR card_digest IS NULL OR card_digest = ?)
    ORDER BY terminal_id = ? DESC, id DESC LIMIT 1"""  # noqa: S608
_BY_ID: Final = f"SELECT {COLUMNS} FROM entries WHERE id = ?"  # noqa: S608
_REMEMBERED: Final = """
    SELECT 1 FROM entries
    WHERE state = 'REMEMBERED' AND original_stan = ? AND original_transmitted_at = ?
      AND original_acquirer_id = ? AND original_message_type = ?
      AND (card_digest IS NULL OR card_digest = ?)"""
_INSERT: Final = f"""
    INSERT INTO entries ({COLUMNS})
    VALUES ({", ".join("?" * len(_NAMES))})"""  # noqa: S608
_DELETE: Final = "DELETE FROM entries WHERE id = ?"
_SETTLE: Final = """
    UPDATE entries SET state = ?, held_minor = ?, captured_minor = ?, refunded_minor = ?
    WHERE id = ?"""
_MOVE: Final = """
    UPDATE balances SET held_minor = held_minor + ?, captured_minor = captured_minor + ?,
        refunded_minor = refunded_minor + ?
    WHERE card_digest = ? AND currency = ?"""
_FIRST_MOVE: Final = "INSERT INTO balances VALUES (?, ?, ?, ?, ?)"


class Ledger:
    """Look-ups see what the same transaction has booked before, so messages are judged in turn."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM entries").fetchone()
        self._last_id: int = last

    def next_id(self) -> int:
        """A number for a new entry; one that is not used leaves a gap."""
        self._last_id += 1
        return self._last_id

    def entry(self, key: MessageKey) -> Entry | None:
        """What is booked under a key."""
        return self._one(_BY_KEY, key.stan, key.transmitted_at, key.terminal_id, key.acquirer_id)

    def original(
        self, original: OriginalElements, terminal_id: str, card_digest: bytes | None
    ) -> Entry | None:
        """The entry that field 90 names, of the same card where the message has one.

        Field 90 holds no terminal: the message's own is preferred, another is as good.
        """
        return self._one(
            _BY_ORIGINAL,
            original.stan,
            original.transmitted_at,
            original.acquirer_id,
            original.message_type,
            card_digest,
            card_digest,
            terminal_id,
        )

    def opening_of(self, entry: Entry) -> Entry | None:
        """The opening that owns an entry's money."""
        if entry.opening_id == entry.entry_id:
            return entry
        return None if entry.opening_id is None else self._one(_BY_ID, entry.opening_id)

    def reversed_before(
        self, key: MessageKey, message_type: str, card_digest: bytes | None
    ) -> bool:
        """Whether the reversal of this very message is booked already."""
        values = (key.stan, key.transmitted_at, key.acquirer_id, message_type, card_digest)
        return self._connection.execute(_REMEMBERED, values).fetchone() is not None

    def write(self, entry: Entry) -> None:
        """Book an entry under its own number."""
        self._connection.execute(_INSERT, _VALUES(entry))

    def forget(self, entry: Entry) -> None:
        """Take out an entry of which nothing was done, before its new attempt is booked."""
        self._connection.execute(_DELETE, (entry.entry_id,))

    def settle(self, opening: Entry, state: State, balance: Balance) -> None:
        """Give an opening its new state and balance."""
        values = (state, balance.held_minor, balance.captured_minor, balance.refunded_minor)
        self._connection.execute(_SETTLE, (*values, opening.entry_id))

    def move(self, card_digest: bytes, currency: str, change: Balance) -> None:
        """Add a change to the money of a card."""
        amounts = (change.held_minor, change.captured_minor, change.refunded_minor)
        moved = self._connection.execute(_MOVE, (*amounts, card_digest, currency))
        if not moved.rowcount:
            self._connection.execute(_FIRST_MOVE, (card_digest, currency, *amounts))

    def _one(self, statement: str, *values: object) -> Entry | None:
        row = self._connection.execute(statement, values).fetchone()
        return entry_of(row) if row else None


def entry_of(row: tuple[Any, ...]) -> Entry:
    """The entry that a row of COLUMNS holds; the table is STRICT and in the same order."""
    values = list(row)
    values[_OPERATION] = BankOperation(values[_OPERATION])
    values[_STATE] = State(values[_STATE])
    return Entry(*values)
