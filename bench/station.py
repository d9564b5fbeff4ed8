"""A gateway under measurement: one store, so many workers, the test bank beside it.

The processes are those that an operator starts (`netvalve bank`, `netvalve serve`), in a fresh
folder, on free ports; a PostgreSQL of its own is started from the packaged programs.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from netvalve.cli.sandbox.enrolment import prepare_store
from netvalve.cli.sandbox.merchant import sandbox_merchant
from netvalve.config import Settings
from postgres import PostgresServer

_STOP_S = 60.0


@dataclass(frozen=True, slots=True)
class Station:
    """What is measured, and the processes whose time counts."""

    store: str
    workers: int
    base_url: str
    client_id: str
    api_key: str
    database_url: str
    gateway_pids: tuple[int, ...]
    bank_pid: int
    server_pid: int | None
    """PostgreSQL's first process."""

    @property
    def name(self) -> str:
        """`PostgreSQL, 2 workers`."""
        return f"{self.store}, {self.workers} worker{'s' if self.workers > 1 else ''}"

    @property
    def store_pids(self) -> tuple[int, ...]:
        """PostgreSQL's processes as they are now; SQLite works within the gateway's."""
        return () if self.server_pid is None else (self.server_pid, *children_of(self.server_pid))


@contextmanager
def station(store: str, workers: int, home: Path) -> Iterator[Station]:
    """Start everything; ends it as Ctrl-C does."""
    home.mkdir(parents=True)
    with ExitStack() as parts:
        server = None
        if store == "PostgreSQL":
            server = PostgresServer(shared_buffers="256MB").start()
            parts.callback(server.stop)
        url = f"sqlite:///{home / 'store.sqlite3'}" if server is None else _database(server)
        bank = parts.enter_context(_program(home, url, "bank", "--json"))
        merchant = sandbox_merchant(bank.said["host"], bank.said["port"])
        prepare_store(Settings(home=home, database=url), merchant)
        options = ("--workers", str(workers)) if workers > 1 else ()
        gateway = parts.enter_context(_program(home, url, "serve", "--json", *options))
        yield Station(
            store,
            workers,
            gateway.said["base_url"],
            merchant.client.netvalve_client_id,
            merchant.credentials.api_key,
            url,
            (gateway.pid, *children_of(gateway.pid)),
            bank.pid,
            None if server is None else server.pid,
        )


def _database(server: PostgresServer) -> str:
    return server.create_database("bench")


@dataclass(frozen=True, slots=True)
class _Program:
    pid: int
    said: dict[str, str]


@contextmanager
def _program(home: Path, url: str, command: str, *options: str) -> Iterator[_Program]:
    own = {name: each for name, each in os.environ.items() if not name.startswith("NETVALVE_")}
    settings = {
        "NETVALVE_HOME": str(home),
        "NETVALVE_DATABASE": url,
        "NETVALVE_PORT": "0",
        "NETVALVE_BANK_PORT": "0",
        "NETVALVE_BANK_ADMIN_PORT": "0",
        "NETVALVE_LOG_FILE": str(home / f"{command}.log"),
    }
    errors = home / f"{command}.errors"
    with errors.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "netvalve.cli", command, *options],
            env=own | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            start_new_session=True,
        )
    if process.stdout is None:
        raise RuntimeError("its output is not read")
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise SystemExit(f"bench: netvalve {command} did not start:\n{errors.read_text()}")
    threading.Thread(target=process.stdout.read, daemon=True).start()
    try:
        yield _Program(process.pid, json.loads(line))
    finally:
        process.terminate()
        process.wait(_STOP_S)


def children_of(pid: int) -> tuple[int, ...]:
    """The processes that a process has started."""
    return tuple(
        int(each)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for each in (task / "children").read_text().split()
    )
