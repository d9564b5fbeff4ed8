"""The configuration read from PostgreSQL."""

from typing import Final

import asyncpg

from netvalve.domain.directory import Directory
from netvalve.storage.configuration import FollowedConfiguration
from netvalve.storage.directory_rows import QUERIES, directory_of
from netvalve.storage.postgres.pools import Readers
from netvalve.storage.postgres.query import Query

_QUERIES: Final = tuple(map(Query.of, QUERIES))
_VERSION: Final = _QUERIES[0]


async def follow_configuration(readers: Readers, *, poll_s: float) -> FollowedConfiguration:
    """Read the first snapshot and follow the changes."""

    async def newest(known: Directory) -> Directory:
        ((version,),) = await readers.fetch(_VERSION.text)
        return known if version == known.version else await _read(readers)

    return FollowedConfiguration(await _read(readers), newest, poll_s)


async def _read(readers: Readers) -> Directory:
    async with readers.one_moment() as connection:
        return directory_of([await _rows(connection, each) for each in _QUERIES])


async def _rows(connection: asyncpg.Connection, query: Query) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(query.text, *query.bound({}))
    return rows
