"""The migrated database is the one that the tables describe."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from netvalve.storage.engine import engine_of, sqlite_path
from netvalve.storage.migrate import current, migrate
from netvalve.storage.schema import METADATA


def test_migrations_lead_to_the_tables_as_described(database_url: str) -> None:
    with engine_of(database_url) as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_a_second_migration_applies_nothing(database_url: str, tmp_path: Path) -> None:
    assert migrate(database_url) == []
    new = f"sqlite:///{tmp_path / 'folder' / 'new.sqlite3'}"
    assert current(new) is None
    applied = migrate(new)
    assert applied[0] == "0001"
    assert current(new) == applied[-1]


def test_a_new_database_writes_ahead_and_is_its_owner_s_alone(database_url: str) -> None:
    with engine_of(database_url) as engine, engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    assert sqlite_path(database_url).stat().st_mode & 0o777 == 0o600
