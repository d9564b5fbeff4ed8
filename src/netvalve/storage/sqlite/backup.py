"""A copy of the file at one moment, while a gateway writes on."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from netvalve.storage.sqlite.connection import open_reader


class BackupRefused(Exception):
    """The copy cannot be made, or is not whole."""


def back_up(database: Path, target: Path) -> int:
    """Copy a database to a new file, which is there once it is whole and on the disk; its size.

    All of it is of one moment: the copy is one read, which no writer waits for and none disturbs.

    Raises:
        BackupRefused: there is a file already, or what was copied is broken.
    """
    if target.exists():
        raise BackupRefused(f"{target} is there already; a copy replaces nothing")
    part = target.with_name(f"{target.name}.part")
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
        _copy(database, part)
        part.rename(target)
        _flush_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def _copy(database: Path, part: Path) -> None:
    with closing(open_reader(database)) as source, closing(sqlite3.connect(part)) as copy:
        copy.execute("PRAGMA synchronous=FULL")
        source.backup(copy)  # in one step: one that is taken in several begins anew at each write
        ((found,),) = copy.execute("PRAGMA quick_check(1)").fetchall()
    if found != "ok":
        raise BackupRefused(f"the copy is broken: {found}")


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
