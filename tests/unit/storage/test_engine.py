"""An address of a database that cannot be used is told, whole, without its password."""

from pathlib import Path

import pytest

from netvalve.storage.engine import (
    DatabaseUrlError,
    engine_of,
    is_postgres,
    is_sqlite,
    shown,
    sqlite_path,
)
from netvalve.storage.migrate import current, migrate

UNUSABLE = (
    "foo://x",
    "foo://x:y:z",
    "sqlite://",
    "sqlite:///:memory:",
    "mysql+nothing://nv:hidden@db/nv?password=hidden",
    "postgresql+psycopg://nv:hidden@db:port/nv",
)


@pytest.mark.parametrize("url", UNUSABLE)
def test_address_of_anything_but_a_sqlite_file_is_refused_in_one_line(url: str) -> None:
    for use in (sqlite_path, current, migrate, lambda url: engine_of(url).__enter__()):
        with pytest.raises(DatabaseUrlError) as refused:
            use(url)
        assert len(str(refused.value).splitlines()) == 1
        assert "hidden" not in str(refused.value)


def test_several_hosts_of_postgresql_are_one_address() -> None:
    address = "postgresql://nv:hidden@db1:5432,db2:5433/nv?target_session_attrs=read-write"
    assert is_postgres(address)
    assert not is_sqlite(address)
    assert shown(address) == address.replace("hidden", "***")


def test_path_and_address_of_a_file_name_the_same_file() -> None:
    assert sqlite_path("var/x.sqlite3") == sqlite_path("sqlite:///var/x.sqlite3")
    assert sqlite_path("var/x.sqlite3") == Path("var/x.sqlite3")
    assert is_sqlite("var/x.sqlite3")
