"""The migrated database is the one that the tables describe, and the same on both."""

from collections.abc import Collection, Mapping
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import BigInteger, Boolean, Inspector, Integer, LargeBinary, Text, inspect
from sqlalchemy.types import TypeEngine

from netvalve.storage.engine import engine_of
from netvalve.storage.migrate import current, migrate
from netvalve.storage.schema import METADATA
from stores import Databases

Facts = Mapping[str, Any]
OWN = {"alembic_version"}


def described(name: str | None, kind: str, _parents: object) -> bool:
    """Whether the tables describe it; they say nothing of the parts of a table."""
    return kind != "table" or name in METADATA.tables


def test_migrations_lead_to_the_tables_as_described(database_url: str) -> None:
    with engine_of(database_url) as engine, engine.connect() as connection:
        options = {"compare_type": True, "include_name": described}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []


def test_there_are_no_tables_but_those_described_and_their_parts(database_url: str) -> None:
    with engine_of(database_url) as engine, engine.connect() as connection:
        names = {*inspect(connection).get_table_names()} - OWN
    parts = {name for name in names if is_part(name, names)}
    assert names - parts == METADATA.tables.keys()


def is_part(name: str, names: Collection[str]) -> bool:
    """`orders_2611`, `orders_before`."""
    whole, _, which = name.rpartition("_")
    return whole in names and (which == "before" or which.isdigit())


def test_both_databases_have_the_same_schema(sqlite_url: str, postgres_url: str) -> None:
    here, there = facts_of(sqlite_url), facts_of(postgres_url)
    for table, facts in here.items():
        assert there[table] == facts, table
    assert here.keys() == there.keys()


def facts_of(database_url: str) -> dict[str, Facts]:
    """What a database says of its own tables."""
    with engine_of(database_url) as engine, engine.connect() as connection:
        seen = inspect(connection)
        return {table: facts_of_table(seen, table) for table in METADATA.tables}


def facts_of_table(seen: Inspector, table: str) -> Facts:
    columns = seen.get_columns(table)
    flags = {column.name for column in METADATA.tables[table].c if is_flag(column.type)}
    uniques = {tuple(each["column_names"]) for each in seen.get_unique_constraints(table)}
    return {
        "columns": [
            (each["name"], family(each["type"], flag=each["name"] in flags), each["nullable"])
            for each in columns
        ],
        "primary key": seen.get_pk_constraint(table)["constrained_columns"],
        "uniques": uniques,
        "indexes": {
            each["name"]: (tuple(each["column_names"]), bool(each["unique"]), is_partial(each))
            for each in seen.get_indexes(table)
            if tuple(each["column_names"]) not in uniques
        },
        "foreign keys": {
            (tuple(each["constrained_columns"]), each["referred_table"])
            for each in seen.get_foreign_keys(table)
        },
        "checks": {each["name"] for each in seen.get_check_constraints(table)},
    }


def is_flag(of: TypeEngine[Any]) -> bool:
    return isinstance(of, Boolean)


def family(of: TypeEngine[Any], *, flag: bool) -> str:
    """SQLite has whole numbers alone, of 64 bits, for flags too."""
    if flag:
        assert isinstance(of, Boolean | Integer), of
        return "flag"
    for kind in (BigInteger, Integer, LargeBinary, Text):
        if isinstance(of, kind):
            return "number" if issubclass(kind, Integer) else kind.__name__
    raise AssertionError(f"a column of {of!r}")


def is_partial(index: Mapping[str, Any]) -> bool:
    options = index.get("dialect_options", {})
    return any(name.endswith("_where") for name in options)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_new_database_is_migrated_once(
    kind: str, tmp_path: Any, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        new = f"sqlite:///{tmp_path / 'folder' / 'new.sqlite3'}"
    else:
        databases: Databases = request.getfixturevalue("databases")
        new = databases.empty()
    assert current(new) is None
    applied = migrate(new)
    assert applied[0] == "0001"
    assert current(new) == applied[-1]
    assert migrate(new) == []
