"""Brings a database's schema to this release's, revision by revision."""

from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from netvalve.storage.engine import create_sqlite_file, engine_of, is_sqlite, sqlite_path

_REVISIONS: Final = Path(__file__).parent / "migrations"


def migrate(database_url: str) -> list[str]:
    """Apply what is missing, each revision whole or not at all; returns what was applied.

    A missing SQLite file is created, and set to write ahead (WAL), which it stays for ever.
    """
    if is_sqlite(database_url):
        create_sqlite_file(database_url)
    applied: list[str] = []
    with engine_of(database_url) as engine, engine.connect() as connection:
        command.upgrade(_settings(connection, applied), "head")
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
