"""Copies taken under load, and what is needed to go on from one: each pair of commands for real.

The bank's book is never restored: it knows what the store has forgotten.
"""

import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from netvalve.domain.reconciliation import Verdict
from postgres import PostgresServer
from running import Merchant, Sandbox
from stores import Databases

LEASE_S = 5
CALLERS = 4
ENDS_WITHIN_S = 40
SETTINGS = {"lease_s": LEASE_S, "charge_deadline_s": 3, "follow_up_deadline_s": 3}


class Load:
    """Merchants that pay all the while; what they were told."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._over = threading.Event()
        self.told: list[dict[str, Any]] = []

    @contextmanager
    def running(self) -> Iterator["Load"]:
        with ThreadPoolExecutor(CALLERS) as callers:
            calls = [callers.submit(self._pay) for _ in range(CALLERS)]
            try:
                yield self
            finally:
                self._over.set()
        for call in calls:
            call.result()

    def until(self, more: int) -> None:
        """Return when so many more payments were answered."""
        end_s, enough = time.monotonic() + ENDS_WITHIN_S, len(self.told) + more
        while len(self.told) < enough:
            assert time.monotonic() < end_s, "the payments have come to a halt"
            time.sleep(0.02)

    def _pay(self) -> None:
        with self._sandbox.client() as client:
            shop = Merchant(client)
            while not self._over.is_set():
                self.told.append(shop.sale(12.5))


def numbers(told: list[dict[str, Any]]) -> set[object]:
    """What no two payments may share."""
    return {each[name] for each in told for name in ("transactionID", "bankTransactionId")}


def paid_after(sandbox: Sandbox) -> list[dict[str, Any]]:
    """What another start of the gateway has sold: under numbers that it took after the copy."""
    with sandbox, Load(sandbox).running() as load:
        load.until(20)
    return load.told


def paid_again(sandbox: Sandbox) -> list[dict[str, Any]]:
    """A few payments, and everything from before the copy ended."""
    with Load(sandbox).running() as load:
        load.until(40)
    end_s = time.monotonic() + ENDS_WITHIN_S
    while sandbox.rows("SELECT 1 FROM transactions WHERE state IN ('PENDING', 'REVERSING')"):
        assert time.monotonic() < end_s
        time.sleep(0.1)
    return load.told


def differences(sandbox: Sandbox) -> dict[str, str]:
    """What is to be done about each reference number on which the bank's book differs."""
    with httpx.Client(trust_env=False) as admin:
        book = admin.get(f"{sandbox.admin_url}/book.csv").text
    file = sandbox.home / "book.csv"
    file.write_text(book)
    found = json.loads(sandbox.command("reconcile", str(file), "--json").stdout)
    return {each["rrn"]: each["what_to_do"] for each in found["differences"]}


def resume(sandbox: Sandbox) -> dict[str, Any]:
    """`netvalve restored`, once the leases that ran in the copy are over."""
    end_s = time.monotonic() + 3 * LEASE_S
    while (done := sandbox.command("restored", "--json")).returncode:
        assert "the lease of gateway" in done.stderr, done.stderr
        assert time.monotonic() < end_s
        time.sleep(0.2)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def assert_goes_on(restored: Sandbox, before: list[dict[str, Any]], since: int) -> None:
    """The restored store resumes: no number twice, what it forgot is told, all else agrees.

    `since` is the place in `before` of the first payment that surely began after the copy.
    """
    told, later = numbers(before), {each["bankTransactionId"] for each in before[since:]}
    resume(restored)
    with restored:
        after = numbers(paid_again(restored))
        assert not after & told
        found = differences(restored)
    assert later <= found.keys()
    assert not after & found.keys()
    assert set(found.values()) == {Verdict.UNKNOWN.value}
    verified = restored.command("verify")
    assert verified.returncode == 0, verified.stdout


def test_a_file_copied_under_load_goes_on_after_its_restore(tmp_path: Path) -> None:
    home = tmp_path / "home"
    database, copy = home / "netvalve.sqlite3", tmp_path / "copy.sqlite3"
    sandbox = Sandbox(home, database=f"sqlite:///{database}", **SETTINGS)
    with sandbox, Load(sandbox).running() as load:
        load.until(50)
        done = sandbox.command("backup", str(copy))
        assert done.returncode == 0, done.stderr
        since = len(load.told) + CALLERS
        load.until(20)
    told = load.told + paid_after(sandbox)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir() if each.name != "home"] == [copy.name]
    for each in home.glob(f"{database.name}*"):
        each.unlink()
    shutil.copy(copy, database)
    assert_goes_on(sandbox, told, since)


def test_a_backup_replaces_nothing(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "home", database=f"sqlite:///{tmp_path / 'store.sqlite3'}")
    assert sandbox.command("migrate").returncode == 0
    assert sandbox.command("backup", str(tmp_path / "copy")).returncode == 0
    again = sandbox.command("backup", str(tmp_path / "copy"))
    assert again.returncode == 1
    assert "is there already" in again.stderr


def test_a_store_under_a_running_gateway_is_not_resumed(tmp_path: Path) -> None:
    with Sandbox(tmp_path, database=f"sqlite:///{tmp_path / 'store.sqlite3'}") as running:
        done = running.command("restored")
    assert done.returncode == 1
    assert "another gateway runs" in done.stderr


def test_a_month_is_no_file_s_and_a_backup_no_server_s(tmp_path: Path) -> None:
    on_file = Sandbox(tmp_path, database=f"sqlite:///{tmp_path / 'store.sqlite3'}")
    assert "PostgreSQL's" in on_file.command("month", "archive", "2601").stderr
    on_server = Sandbox(tmp_path, database="postgresql://nobody@127.0.0.1:1/none")
    assert "pg_dump" in on_server.command("backup", str(tmp_path / "copy")).stderr


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where the server's user may write as well."""
    made = Path(tempfile.mkdtemp(prefix="netvalve-backup-"))
    made.chmod(0o777)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def archiving(folder: Path) -> Iterator[PostgresServer]:
    """A server that keeps its log of writes."""
    log = folder / "log"
    log.mkdir()
    log.chmod(0o777)
    command = f"cp %p {log}/%f"
    with PostgresServer(archive_mode="on", archive_command=command, wal_level="replica") as server:
        yield server


@pytest.fixture(scope="module")
def own(archiving: PostgresServer) -> Databases:
    return Databases(archiving)


def test_a_dump_taken_under_load_goes_on_after_its_restore(
    archiving: PostgresServer, own: Databases, tmp_path: Path
) -> None:
    url, restored_url, dump = own.fresh(), own.empty(), tmp_path / "netvalve.dump"
    home = tmp_path / "home"
    with Sandbox(home, database=url, **SETTINGS) as sandbox, Load(sandbox).running() as load:
        load.until(50)
        run(archiving, "pg_dump", "--format=custom", f"--file={dump}", url)
        since = len(load.told) + CALLERS
        load.until(20)
    told = load.told + paid_after(sandbox)
    run(archiving, "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={restored_url}", dump)
    assert_goes_on(Sandbox(home, database=restored_url, **SETTINGS), told, since)


def test_a_base_backup_and_its_log_go_on_from_any_moment(
    archiving: PostgresServer, own: Databases, folder: Path, tmp_path: Path
) -> None:
    url, home, copy = own.fresh(), tmp_path / "home", folder / "restored"
    with Sandbox(home, database=url, **SETTINGS) as sandbox, Load(sandbox).running() as load:
        load.until(20)
        copy.mkdir()
        copy.chmod(0o777)
        superuser = archiving.url("postgres", "postgres")
        as_the_server = archiving._programs.identity
        run(archiving, "pg_basebackup", f"--pgdata={copy / 'data'}", f"--dbname={superuser}",
            "--checkpoint=fast", **as_the_server)  # fmt: skip
        load.until(20)
        with archiving.connect() as connection:
            ((moment,),) = connection.execute("SELECT clock_timestamp()::text")
        since = len(load.told) + CALLERS
        load.until(20)
    told = load.told + paid_after(sandbox)
    with archiving.connect() as connection:
        connection.execute("SELECT pg_switch_wal()")
    until(lambda: archived_all(archiving))
    shutil.copy(archiving.folder / "password", copy)
    (copy / "data" / "recovery.signal").touch()
    recovered = PostgresServer(
        copy,
        restore_command=f"cp {folder}/log/%f %p",
        recovery_target_time=moment,
        recovery_target_action="promote",
    )
    with recovered:
        until(lambda: not in_recovery(recovered))
        database = url.rpartition("/")[2]
        restored = Sandbox(home, database=recovered.url(database), **SETTINGS)
        assert_goes_on(restored, told, since)


def run(server: PostgresServer, program: str, *arguments: object, **how: Any) -> None:
    subprocess.run([server._programs.folder / program, *map(str, arguments)], check=True, **how)


def archived_all(server: PostgresServer) -> bool:
    """Whether every file of the log that is whole has been kept."""
    with server.connect() as connection:
        ready = connection.execute(
            "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"
        )
        return ready.fetchone() == (0,)


def in_recovery(server: PostgresServer) -> bool:
    with server.connect() as connection:
        return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)


def until(reached: Callable[[], bool]) -> None:
    end_s = time.monotonic() + ENDS_WITHIN_S
    while not reached():
        assert time.monotonic() < end_s
        time.sleep(0.1)
