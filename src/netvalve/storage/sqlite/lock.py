"""One gateway a file: a lock that the operating system drops when its holder dies."""

import fcntl
import os
from pathlib import Path
from typing import Self


class StoreInUse(Exception):
    """Another gateway holds the database."""


class FileLock:
    """An exclusive lock on `<database>.lock`, held until its block or the process ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def of(cls, database: Path) -> Self:
        """Take the lock of a database, be it there yet or not.

        Raises:
            StoreInUse: somebody has it.
        """
        path = database.with_name(f"{database.name}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StoreInUse(
                f"another gateway runs on {database}; a SQLite file serves one gateway at a time"
            ) from None
        return cls(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let the next one in. The file stays: removing it would open a race."""
        os.close(self._descriptor)
