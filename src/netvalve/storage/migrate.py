"""Brings a database's schema to this release's, revision by revision."""

from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection

from netvalve.storage.engine import create_sqlite_file, engine_of, is_sqlite, sqlite_path
from netvalve.storage.sqlite.lock import FileLock

_REVISIONS: Final = Path(__file__).parent / "migrations"


class StoreNotReady(Exception):
    """The database is missing or has another schema than this release's."""


def migrate(database_url: str) -> list[str]:
    """Upgrade a database that no gateway runs on; returns what was applied.

    Raises:
        StoreInUse: a gateway runs on it, with the schema as it is.
        StoreNotReady: the schema is a newer release's.
    """
    if not is_sqlite(database_url):
        return upgrade(database_url)
    with FileLock.of(sqlite_path(database_url)):
        return upgrade(database_url)


def upgrade(database_url: str) -> list[str]:
    """Apply what is missing, each revision whole or not at all; returns what was applied.

    For who holds the database's lock. A missing SQLite file is created, and set to write ahead
    (WAL), which it stays for ever.

    Raises:
        StoreNotReady: the schema is a newer release's.
    """
    if is_sqlite(database_url):
        create_sqlite_file(database_url)
    applied: list[str] = []
    with engine_of(database_url) as engine, engine.connect() as connection:
        try:
            command.upgrade(_settings(connection, applied), "head")
        except CommandError as error:
            raise StoreNotReady(f"the database is of another release: {error}") from error
    return applied


def current(database_url: str) -> str | None:
    """The newest revision the database has; None for an empty one."""
    if is_sqlite(database_url) and not sqlite_path(database_url).exists():
        return None
    with engine_of(database_url) as engine, engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _settings(connection: Connection, applied: list[str]) -> Config:
    """Alembic's settings without a file: `env.py` takes the connection from here."""

    def note(*, step: Any, **_: object) -> None:
        applied.append(step.up_revision_id)

    settings = Config()
    settings.set_main_option("script_location", str(_REVISIONS).replace("%", "%%"))
    settings.attributes["connection"] = connection
    settings.attributes["on_version_apply"] = note
    return settings
