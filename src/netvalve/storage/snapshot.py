"""One moment of a store, to be read at leisure while a gateway writes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from netvalve.storage.engine import is_postgres, postgres_engine, sqlite_path
from netvalve.storage.sqlite.connection import open_reader

_ROWS_AT_ONCE: Final = 1_000


@contextmanager
def snapshot_of(database_url: str) -> Iterator[Connection]:
    """A connection that cannot write, waits for no writer and keeps none waiting.

    All its statements see the store as it is at the first of them; rows come in batches.
    """
    engine = _reading_engine(database_url)
    try:
        with engine.connect() as connection:
            yield connection.execution_options(yield_per=_ROWS_AT_ONCE)
    finally:
        engine.dispose()


def _reading_engine(database_url: str) -> Engine:
    if is_postgres(database_url):
        one_moment = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return postgres_engine(database_url, execution_options=one_moment)
    reader = partial(open_reader, sqlite_path(database_url))
    engine = create_engine("sqlite://", creator=reader, poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Deferred: the lock is a reader's, and the driver begins nothing by itself."""
    connection.exec_driver_sql("BEGIN")
