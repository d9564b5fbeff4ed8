"""The tests' own server: it outlives none of them, and where there is none that is said."""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

import postgres_programs
from postgres import PostgresServer
from postgres_programs import PostgresMissing

TESTS = Path(__file__).parents[2]
GONE_WITHIN_S = 30.0


def lets_in(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_server_and_its_folder_end_with_its_process_even_by_kill_9() -> None:
    with TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # the server may be another user
        with subprocess.Popen(
            [sys.executable, TESTS / "postgres.py"],
            stdout=subprocess.PIPE,
            env={**os.environ, "TMPDIR": place},
            text=True,
        ) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            served = lets_in(url)
            process.kill()
        assert served
        end = time.monotonic() + GONE_WITHIN_S
        while [*Path(place).iterdir()]:
            assert time.monotonic() < end, "its folder is still there"
            time.sleep(0.05)
        assert not lets_in(url)


def test_a_killed_server_serves_again_what_it_had(
    postgres: PostgresServer, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n bigint)")
        connection.execute("INSERT INTO kept VALUES (7)")
    postgres.kill()
    assert not lets_in(postgres_url)
    postgres.serve()
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_where_no_postgresql_can_be_had_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("_packaged", "_of_the_system"):
        monkeypatch.setattr(postgres_programs, place, lambda: iter(()))
    with pytest.raises(PostgresMissing, match="PostgreSQL is needed for the tests"):
        PostgresServer(tmp_path / "server").start()
