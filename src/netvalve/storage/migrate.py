"""Brings a database's schema to this release's, revision by revision.

A revision either *expands* (what ran on the schema before it still does) or *contracts*, and then
says in the table `compatibility` from which revision on a release may still run on it. So the
nodes of a PostgreSQL database are replaced one by one, before the migration or after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, select, text

from netvalve.storage.engine import create_sqlite_file, engine_of, is_sqlite, shown, sqlite_path
from netvalve.storage.postgres.partitions import add_months
from netvalve.storage.schema import compatibility
from netvalve.storage.sqlite.lock import FileLock

OLDEST_USABLE: Final = "0004"
"""This release runs on a PostgreSQL schema of this revision or a later one."""
TALLIES_SINCE: Final = "0005"
"""From this revision on the database counts what is listed."""
_REVISIONS: Final = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_lock(hashtext('netvalve migrate'))")


class StoreNotReady(Exception):
    """The database is missing or has another schema than this release's."""


def migrate(database_url: str) -> list[str]:
    """Upgrade a database, which no gateway runs on if it is a SQLite file; what was applied.

    Raises:
        StoreInUse: a gateway runs on the file, with the schema as it is.
        StoreNotReady: the schema is a newer release's.
    """
    if not is_sqlite(database_url):
        return upgrade(database_url)
    with FileLock.of(sqlite_path(database_url)):
        return upgrade(database_url)


def upgrade(database_url: str) -> list[str]:
    """Apply what is missing, each revision whole or not at all; returns what was applied.

    For who holds a SQLite file's lock. A missing file is created, and set to write ahead (WAL),
    which it stays for ever. A schema of a newer release that this one may run on stays as it is.

    Raises:
        StoreNotReady: it is a newer release's, and this one cannot run on it.
    """
    if is_sqlite(database_url):
        create_sqlite_file(database_url)
    applied: list[str] = []
    with engine_of(database_url) as engine, _alone(engine), engine.connect() as connection:
        if _is_newer(connection):
            return applied
        command.upgrade(_settings(connection, applied), "head")
        connection.rollback()  # Alembic has committed each revision; what is left are its reads
        if not is_sqlite(database_url):
            with connection.begin():
                add_months(connection)
    return applied


def current(database_url: str) -> str | None:
    """The newest revision the database has; None for an empty one."""
    if is_sqlite(database_url) and not sqlite_path(database_url).exists():
        return None
    with engine_of(database_url) as engine, engine.connect() as connection:
        return _revision(connection)


def require_usable(database_url: str) -> str:
    """The revision of a PostgreSQL database that this release runs on.

    Raises:
        StoreNotReady: it has no tables, or too old or too new ones.
    """
    with engine_of(database_url) as engine, engine.connect() as connection:
        revision = _revision(connection)
        if revision is None:
            raise StoreNotReady(f"{shown(database_url)} has no tables yet; run `netvalve migrate`")
        if not _is_newer(connection) and revision < OLDEST_USABLE:
            raise StoreNotReady(f"the tables are of revision {revision}; run `netvalve migrate`")
    return revision


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """On PostgreSQL one migration runs at a time; the file's lock does the same on SQLite."""
    if engine.dialect.name == "sqlite":
        yield
        return
    with engine.connect() as connection:
        connection.execute(_ONE_AT_A_TIME)  # ends with the connection
        yield


def _is_newer(connection: Connection) -> bool:
    """Whether the schema is a newer release's that this one may run on.

    Raises:
        StoreNotReady: it is a newer release's and this one may not.
    """
    revision = _revision(connection)
    head = _head()
    if revision is None or revision <= head:
        return False
    oldest = connection.execute(select(compatibility.c.oldest_revision)).scalar_one()
    connection.rollback()
    if head < oldest:
        raise StoreNotReady(
            f"the database is of another release: its revision {revision} needs one that knows "
            f"{oldest}, and this one ends with {head}"
        )
    return True


def _revision(connection: Connection) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    return revision


def _head() -> str:
    """The newest revision that this release knows. Revisions are numbered: they compare as text."""
    settings = Config()
    settings.set_main_option("script_location", _location())
    head = ScriptDirectory.from_config(settings).get_current_head()
    if head is None:
        raise RuntimeError("this release has no revisions")
    return head


def _settings(connection: Connection, applied: list[str]) -> Config:
    """Alembic's settings without a file: `env.py` takes the connection from here."""

    def note(*, step: Any, **_: object) -> None:
        applied.append(step.up_revision_id)

    settings = Config()
    settings.set_main_option("script_location", _location())
    settings.attributes["connection"] = connection
    settings.attributes["on_version_apply"] = note
    return settings


def _location() -> str:
    return str(_REVISIONS).replace("%", "%%")
