"""The configuration read from SQLite, through a reader of its own that no listing keeps busy."""

import sqlite3
from functools import partial
from typing import Final

from netvalve.domain.directory import Directory
from netvalve.storage.configuration import FollowedConfiguration
from netvalve.storage.directory_rows import QUERIES, directory_of
from netvalve.storage.sqlite.query import Query
from netvalve.storage.sqlite.readers import Readers

_QUERIES: Final = tuple(map(Query.of, QUERIES))
_VERSION: Final = _QUERIES[0]


async def follow_configuration(readers: Readers, *, poll_s: float) -> FollowedConfiguration:
    """Read the first snapshot and follow the changes."""

    async def newest(known: Directory) -> Directory:
        return await readers.read(partial(_newest, known))

    return FollowedConfiguration(await readers.read(_read), newest, poll_s)


def _newest(known: Directory, connection: sqlite3.Connection) -> Directory:
    """The snapshot that is known, unless the version has moved on."""
    (version,) = connection.execute(_VERSION.text, _VERSION.constants).fetchone()
    return known if version == known.version else _read(connection)


def _read(connection: sqlite3.Connection) -> Directory:
    return directory_of(
        [connection.execute(each.text, each.constants).fetchall() for each in _QUERIES]
    )
