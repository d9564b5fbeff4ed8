"""The bank's durable memory: an SQLite file in which a message is booked before it is answered.

One process owns the file. Statements run on the event loop, a whole batch of messages in one
transaction; only the COMMIT, which waits for the disk, runs on a thread.
"""

import asyncio
import fcntl
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Generic, TypeVar

from netvalve.banks.testbank.data import data_file
from netvalve.banks.testbank.ledger import Ledger
from netvalve.group_commit import GroupCommit

Result = TypeVar("Result")

FILE: Final = "bank.sqlite3"
_KEY_FILE: Final = "bank.key"
_LOCK_FILE: Final = "bank.lock"
_KEY_BYTES: Final = 32
_BATCH_MAX: Final = 512
_WAITING_MAX: Final = 20_000
_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -65536",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA busy_timeout = 5000",
)

Work = Callable[[Ledger], Result]
"""What is done for one message: look-ups and statements, no waiting."""


class BookInUse(Exception):
    """Another bank has this folder open."""


def card_key(home: Path) -> bytes:
    """The key of the cards' digests; made at the first call, for the owner's eyes alone."""
    path = home / _KEY_FILE
    if not path.exists():
        made = path.with_suffix(".new")
        made.unlink(missing_ok=True)
        made.touch(mode=0o600)
        made.write_bytes(secrets.token_bytes(_KEY_BYTES))
        made.replace(path)
    return path.read_bytes()


class Book(Generic[Result]):
    """Does work in the order it is handed in, and returns each result once it is durable."""

    def __init__(self, home: Path) -> None:
        self._lock = (home / _LOCK_FILE).open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise BookInUse(f"another test bank is using {home}") from None
        (home / FILE).touch(mode=0o600)  # a file that is there keeps its mode
        self._connection = sqlite3.connect(
            home / FILE, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        for pragma in _PRAGMAS:
            self._connection.execute(pragma)
        self._connection.executescript(data_file("book.sql").text)
        self._ledger = Ledger(self._connection)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="book")
        self._commits: GroupCommit[Work[Result], Result] = GroupCommit(
            self._write_batch, batch_max=_BATCH_MAX, waiting_max=_WAITING_MAX
        )

    def open(self) -> None:
        """Begin to take work, on the running event loop."""
        self._commits.start()

    async def close(self) -> None:
        """Finish the work that waits and give the file back."""
        await self._commits.stop()
        self._thread.shutdown()
        self._connection.close()
        self._lock.close()

    async def within(self, work: Work[Result]) -> Result:
        """Do the work inside a transaction; returns after its commit.

        Raises:
            QueueFull: too much waits; nothing was done.
            sqlite3.Error: the work was rolled back, or its commit failed.
        """
        return await self._commits.submit(work)

    async def _write_batch(self, batch: Sequence[Work[Result]]) -> list[Result | Exception]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            results = [self._attempt(work) for work in batch]
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._connection.execute, "COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return results

    def _attempt(self, work: Work[Result]) -> Result | Exception:
        """One item's work; where it fails, it alone is undone."""
        self._connection.execute("SAVEPOINT message")
        try:
            return work(self._ledger)
        except Exception as error:  # handed to who submitted the work
            if not self._connection.in_transaction:
                raise
            self._connection.execute("ROLLBACK TO message")
            return error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("RELEASE message")
