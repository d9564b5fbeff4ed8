"""SQLAlchemy's way to the database, for migrations and administration: short and rare work.

The payments' own path does not come through here.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

BUSY_TIMEOUT_MS: Final = 5000
"""How long a writer waits for another one to finish."""
CONNECT_S: Final = 5
"""How long a PostgreSQL server may take to let one in."""
_POSTGRES_SCHEMES: Final = ("postgresql", "postgres")


class DatabaseUrlError(Exception):
    """The database's address cannot be used."""


def sqlite_path(database_url: str) -> Path:
    """The file of a `sqlite:///…` address; a plain path is one as well.

    Raises:
        DatabaseUrlError: it names another database, or no file.
    """
    if "://" not in database_url:
        return Path(database_url)
    url = _url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        named = url.set(query={}).render_as_string(hide_password=True)
        raise DatabaseUrlError(
            f"{named} is neither a SQLite file (sqlite:///path) nor PostgreSQL (postgresql://…)"
        )
    return Path(url.database)


@contextmanager
def engine_of(database_url: str) -> Iterator[Engine]:
    """An engine without a pool, closed at the end. Every transaction may write.

    Raises:
        DatabaseUrlError: the address is of no database that is known here.
    """
    engine = _engine(database_url)
    try:
        yield engine
    finally:
        engine.dispose()


def _engine(database_url: str) -> Engine:
    if is_postgres(database_url):
        return postgres_engine(database_url)
    engine = create_engine(f"sqlite:///{sqlite_path(database_url)}", poolclass=NullPool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def postgres_engine(database_url: str, **options: Any) -> Engine:
    """An engine on PostgreSQL. The driver reads the address itself: it may name several hosts.

    Raises:
        DatabaseUrlError: it cannot be read.
    """
    try:
        conninfo_to_dict(database_url)
    except psycopg.ProgrammingError:
        raise DatabaseUrlError("the database's address cannot be read") from None
    connect = partial(psycopg.connect, database_url, connect_timeout=CONNECT_S)
    return create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool, **options)


def create_sqlite_file(database_url: str) -> None:
    """Make a file that its owner alone may read, unless there is one; set it to write ahead (WAL).

    The mode stays with the file, so that opening it never has to change it.
    """
    path = sqlite_path(database_url)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode=WAL")


def is_postgres(database_url: str) -> bool:
    """Whether an address names a PostgreSQL database, on one host or on several."""
    return database_url.partition("://")[0] in _POSTGRES_SCHEMES


def is_sqlite(database_url: str) -> bool:
    """Whether an address names a SQLite file; one without a scheme does.

    Raises:
        DatabaseUrlError: it cannot be read.
    """
    if is_postgres(database_url):
        return False
    return "://" not in database_url or _url(database_url).get_backend_name() == "sqlite"


def shown(database_url: str) -> str:
    """An address as it may be shown: without its password."""
    scheme, separator, rest = database_url.partition("://")
    authority = urlsplit(database_url).netloc
    credentials, at, _ = authority.rpartition("@")
    if not at:
        return database_url
    user, colon, _ = credentials.partition(":")
    return scheme + separator + user + (":***" if colon else "") + rest[len(credentials) :]


def _url(database_url: str) -> URL:
    try:
        return make_url(database_url)
    except (ArgumentError, ValueError):
        raise DatabaseUrlError("the database's address cannot be read") from None


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Leave the transactions to `_begin_immediate`, not to the driver."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a reader that turns writer would be refused without a wait."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
