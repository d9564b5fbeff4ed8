"""Connections to the file: one that writes, and readers that cannot."""

import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from netvalve.storage.engine import BUSY_TIMEOUT_MS

_STATEMENTS_CACHED: Final = 256
_CACHE_KIB: Final = 8 * 1024
_LOG_BYTES_KEPT: Final = 64 * 2**20
"""What a log of writes that grew under a long read shrinks to once it starts anew."""


def open_writer(path: Path) -> sqlite3.Connection:
    """The writer: its transactions are begun and ended by hand, each durable when committed.

    It does not wait for locks: its statements run on the event loop. Its cache holds the inner
    pages of the indexes and a batch's own, and fills within a few thousand sales: the process's
    memory is flat from then on. A batch that needs more is only written to the log earlier.
    """
    connection = _open(path, "rw")
    connection.execute("PRAGMA busy_timeout=0")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA cache_size={-_CACHE_KIB}")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute(f"PRAGMA journal_size_limit={_LOG_BYTES_KEPT}")
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
