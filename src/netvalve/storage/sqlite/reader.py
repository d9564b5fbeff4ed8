"""One connection to read through, for one thread at a time."""

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from netvalve.domain.journal import StoreUnavailable
from netvalve.storage.sqlite.connection import open_reader

Result = TypeVar("Result")
Read = Callable[[sqlite3.Connection], Result]
_log: Final = logging.getLogger(__name__)


class Reader:
    """Opens its connection at the first read, and a new one after each failure."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    def read(self, read: Read[Result]) -> Result:
        """The result of a read.

        Raises:
            StoreUnavailable: the store cannot be read now.
        """
        try:
            return read(self._opened())
        except sqlite3.Error as error:
            _log.warning("the store cannot be read: %s", error)
            self._give_up()
            raise StoreUnavailable(f"the store cannot be read: {error}") from error

    def read_one_moment(self, read: Read[Result]) -> Result:
        """The result of a read of several statements, all of which see one moment of the store.

        Raises:
            StoreUnavailable: the store cannot be read now.
        """
        return self.read(lambda connection: _in_transaction(connection, read))

    def close(self) -> None:
        """Read no more."""
        self._closed = True
        self._give_up()

    def _opened(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        if self._connection is None:
            self._connection = open_reader(self._path)
        return self._connection

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _in_transaction(connection: sqlite3.Connection, read: Read[Result]) -> Result:
    connection.execute("BEGIN")
    try:
        return read(connection)
    finally:
        connection.execute("ROLLBACK")
