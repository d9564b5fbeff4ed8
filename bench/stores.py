"""The stores of a run: files, and databases of one PostgreSQL that the run starts for itself."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Final

from bench.machine import children_of
from netvalve.storage.engine import is_sqlite
from postgres import PostgresServer

SQLITE: Final = "SQLite"
POSTGRESQL: Final = "PostgreSQL"
SETTINGS: Final[Mapping[str, Any]] = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
"""Of the server, beside its defaults; fsync and synchronous_commit are on."""


class Stores:
    """Fresh addresses on either database."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._numbers = count(1)

    def fresh(self, kind: str) -> str:
        """An empty store's address."""
        number = next(self._numbers)
        if kind == SQLITE:
            return f"sqlite:///{self._home / f'store-{number}.sqlite3'}"
        return self.server.create_database(f"bench_{number}")

    def pids(self, database_url: str) -> tuple[int, ...]:
        """PostgreSQL's processes as they are now; SQLite works within the gateway's."""
        if is_sqlite(database_url):
            return ()
        return (self.server.pid, *children_of(self.server.pid))

    @cached_property
    def server(self) -> PostgresServer:
        """Started when it is first needed."""
        return PostgresServer(**SETTINGS).start()

    @property
    def facts(self) -> dict[str, object]:
        """Which PostgreSQL it is, and how it is set."""
        with self.server.connect() as connection:
            (version,) = connection.execute("SHOW server_version").fetchone() or ("?",)
        return {"postgresql": f"PostgreSQL {version}", "postgresql_settings": SETTINGS}

    def stop(self) -> None:
        """End the server, if there is one."""
        if "server" in vars(self):
            self.server.stop()


@contextmanager
def stores(home: Path) -> Iterator[Stores]:
    """The stores of one run."""
    made = Stores(home)
    try:
        yield made
    finally:
        made.stop()
