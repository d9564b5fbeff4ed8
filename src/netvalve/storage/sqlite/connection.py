"""Connections to the file: one that writes, and readers that cannot."""

import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from netvalve.storage.engine import BUSY_TIMEOUT_MS

_STATEMENTS_CACHED: Final = 256


def open_writer(path: Path) -> sqlite3.Connection:
    """The writer: its transactions are begun and ended by hand, each durable when committed.

    It does not wait for locks: its statements run on the event loop.
    """
    connection = _open(path, "rw")
    connection.execute("PRAGMA busy_timeout=0")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-8192")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A reader: sees what is committed when its transaction begins, and can write nothing."""
    connection = _open(path, "ro")
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA query_only=ON")
    return connection


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS_CACHED,
    )
