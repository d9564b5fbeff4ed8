"""The databases of the tests, and a way to look into them past the gateway, whichever they are."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from netvalve.storage.engine import engine_of, is_sqlite, sqlite_path
from netvalve.storage.migrate import migrate
from netvalve.storage.snapshot import snapshot_of
from postgres import PostgresServer

SQLITE_FILE = "netvalve.sqlite3"
"""In a program's home, where it is told of no other store."""
_TEMPLATE = "migrated"


class Databases:
    """Fresh databases on a server: copies of one that was migrated once."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self._numbers = count(1)
        migrate(server.create_database(_TEMPLATE))

    def fresh(self) -> str:
        """A migrated database that nobody has used."""
        return self.server.create_database(f"test_{next(self._numbers)}", _TEMPLATE)

    def empty(self) -> str:
        """A database without tables."""
        return self.server.create_database(f"empty_{next(self._numbers)}")

    def copy(self, database_url: str) -> str:
        """A new database with what another one holds at this moment."""
        copied = self.empty()
        self.server.copy(database_url, copied)
        return copied

    def drop(self, database_url: str) -> None:
        """End one, and whoever is connected to it."""
        self.server.drop_database(database_url.rpartition("/")[2])


class ProgramStores:
    """Where the programs under test store: a file in their home, or a database of their own."""

    def __init__(self) -> None:
        self._databases: Databases | None = None
        self._of_home: dict[Path, str] = {}

    def use(self, databases: Databases) -> None:
        """PostgreSQL from now on."""
        self._databases = databases

    @property
    def databases(self) -> Databases | None:
        """Where a program gets one of its own; None where it gets a file."""
        return self._databases

    def of(self, home: Path) -> str:
        """The database of a program with this home, the same whenever it is asked for."""
        return self.setting(home).get("database", str(home / SQLITE_FILE))

    def setting(self, home: Path) -> dict[str, str]:
        """What such a program must be told; nothing where it finds its file by itself."""
        if self._databases is None:
            return {}
        if home not in self._of_home:
            self._of_home[home] = self._databases.fresh()
        return {"database": self._of_home[home]}

    def copy(self, database_url: str, folder: Path) -> str:
        """A copy of a running gateway's store, to be spoilt."""
        if self._databases is not None:
            return self._databases.copy(database_url)
        copied = folder / "copy.sqlite3"
        with (
            closing(sqlite3.connect(sqlite_path(database_url))) as source,
            closing(sqlite3.connect(copied)) as target,
        ):
            source.backup(target)
        return str(copied)


PROGRAM_STORES = ProgramStores()
"""The session's."""


def rows_of(database_url: str, query: str, **values: object) -> list[tuple[Any, ...]]:
    """The rows that a query finds now."""
    with snapshot_of(database_url) as store:
        return [tuple(row) for row in store.execute(text(query), values)]


@contextmanager
def changing(database_url: str) -> Iterator[Connection]:
    """A connection whose changes are kept, as an intruder or an accident makes them."""
    with engine_of(database_url) as engine, engine.begin() as connection:
        yield connection


def change(database_url: str, statement: str, **values: object) -> None:
    """One change past the gateway."""
    with changing(database_url) as connection:
        connection.execute(text(statement), values)


def contents_of(database_url: str) -> dict[str, bytes]:
    """Everything a store holds, by a file's or a table's name."""
    if is_sqlite(database_url):
        path = sqlite_path(database_url)
        return {each.name: each.read_bytes() for each in path.parent.glob(f"{path.name}*")}
    with engine_of(database_url) as engine, engine.connect() as connection:
        names = inspect(connection).get_table_names()
        tables = {name: connection.exec_driver_sql(f'SELECT * FROM "{name}"') for name in names}
        return {name: repr(rows.fetchall()).encode() for name, rows in tables.items()}
