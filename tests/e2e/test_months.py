"""`netvalve month` as an operator uses it, with the commands that it prints."""

import json
import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from netvalve.storage.months import first_number
from netvalve.storage.postgres.partitions import BY_MONTH, part_statements
from postgres import PostgresServer
from running import Sandbox
from stores import change, rows_of

OLD = 2601


@pytest.fixture
def gateway(postgres_url: str, tmp_path: Path) -> Sandbox:
    """An operator's desk at a database that was there in January 2026."""
    for table in BY_MONTH:
        bound = f"FOR VALUES FROM (MINVALUE) TO ({first_number(OLD)})"
        change(postgres_url, f"ALTER TABLE {table} DETACH PARTITION {table}_before")
        change(postgres_url, f"ALTER TABLE {table} ATTACH PARTITION {table}_before {bound}")
        for statement in part_statements(table, OLD):
            change(postgres_url, statement)
    return Sandbox(tmp_path, database=postgres_url)


def test_the_printed_commands_keep_a_month_elsewhere_and_let_it_go(
    gateway: Sandbox, postgres: PostgresServer, tmp_path: Path
) -> None:
    done = gateway.command("month", "archive", str(OLD), "--json")
    assert done.returncode == 0, done.stderr
    archived = json.loads(done.stdout)
    shell = {
        **os.environ,
        "PATH": f"{postgres._programs.folder}:{os.environ['PATH']}",
        "PGPASSWORD": postgres.password,
    }
    for command in archived["commands"]:
        subprocess.run(["sh", "-c", command], cwd=tmp_path, env=shell, check=True)
    with psycopg.connect(gateway.database_url) as connection:
        names = {name for (name,) in connection.execute("SELECT relname FROM pg_class")}
    assert not names & set(archived["tables"])
    assert (tmp_path / f"netvalve-{OLD}.dump").stat().st_size > 0


def test_the_list_tells_what_has_left(gateway: Sandbox) -> None:
    listed = json.loads(gateway.command("month", "list", "--json").stdout)
    assert listed[0]["month"] == str(OLD)
    assert listed[0]["archived"] is None
    assert gateway.command("month", "archive", str(OLD)).returncode == 0
    first, second, *_ = json.loads(gateway.command("month", "list", "--json").stdout)
    assert first["month"] == str(OLD)
    assert first["archived"].endswith("Z")
    assert first["pending"] is None
    assert second["pending"] == 0


@pytest.mark.parametrize(("given", "says"), [("2613", "is no month"), ("9912", "is not over")])
def test_what_cannot_be_archived_is_told_in_one_line(
    gateway: Sandbox, given: str, says: str
) -> None:
    done = gateway.command("month", "archive", given)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert rows_of(gateway.database_url, "SELECT * FROM archived_months") == []
