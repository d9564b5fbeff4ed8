"""A real PostgreSQL for tests and benches: on a free port, in a folder of its own, gone at the end.

    python tests/postgres.py        # start one, print an address, end with Ctrl-C

It ends with its process, however that ends: a small guard waits for a pipe to close. What it has
committed is on the disk (fsync stays on), so that a killed server keeps what it has acknowledged.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, LiteralString, Self

import psycopg
from psycopg import sql

from postgres_processes import children_of, guard_of
from postgres_programs import PostgresMissing, Programs, find_programs

ROLE = "netvalve"
"""Who owns the databases and is no superuser: what the gateway is in production."""

_START_S = 30.0
_STOP_S = 30.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": 300,
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "fsync": "on",
    "logging_collector": "off",
    "lc_messages": "C",
}


class PostgresServer:
    """One server. A given folder is kept at the end, and started from again; else it is private."""

    def __init__(self, folder: Path | None = None, **settings: object) -> None:
        self._kept = folder
        self._settings: Mapping[str, object] = {**_SETTINGS, **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Make the cluster where there is none, and serve.

        Raises:
            PostgresMissing: this machine has none that runs.
        """
        self.folder = self._kept or Path(tempfile.mkdtemp(prefix="netvalve-postgres-"))
        if self._kept is None:
            self._guard = guard_of(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)  # a copy of the programs may lie in it; the data are closed
        self._programs = find_programs(self.folder)
        self._programs.give(self.folder)
        if not self._data.exists():
            self._create()
        self.password = (self.folder / "password").read_text()
        self.port = _free_port()
        self.serve()
        return self

    def serve(self) -> None:
        """Start the server on its cluster, on the port it had before."""
        settings = {**self._settings, "port": self.port}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs.folder / "postgres", "-D", self._data, *_options(settings)],
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._programs.identity,
            )
        self._await()

    def stop(self) -> None:
        """End it at once, and what is private of it."""
        self.thaw()
        self._end(signal.SIGQUIT)
        if self._guard is not None:
            assert self._guard.stdin is not None
            self._guard.stdin.close()
            self._guard.wait(_STOP_S)
            self._guard = None

    def restart(self) -> None:
        """Stop as an operator does, open connections cut, and serve again."""
        self._end(signal.SIGINT)
        self.serve()

    def kill(self) -> None:
        """Kill -9 of all its processes: each ends in the middle of what it does."""
        os.kill(self.pid, signal.SIGSTOP)  # it starts no more of them
        for pid in (*self.backends(), self.pid):
            os.kill(pid, signal.SIGKILL)
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """As when its machine answers nothing any more, until `thaw`: connections stay open."""
        for pid in (self.pid, *self.backends()):
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        if self.serves:
            for pid in (*self.backends(), self.pid):
                with suppress(ProcessLookupError):  # one may just have ended
                    os.kill(pid, signal.SIGCONT)

    @property
    def serves(self) -> bool:
        """Whether it is there, frozen or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The server's first process."""
        assert self._process is not None, "it does not serve"
        return self._process.pid

    def backends(self) -> list[int]:
        """The processes it has started: one for each connection, and its own."""
        return children_of(self.pid)

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / "server.log"

    def url(self, database: str, user: str = ROLE) -> str:
        """The address of one of its databases."""
        return f"postgresql://{user}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make one, empty or as a copy of another that nobody is connected to; its address."""
        self.execute("CREATE DATABASE {} OWNER {} TEMPLATE {}", name, ROLE, template or "template1")
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """End one, and whoever is connected to it."""
        self.execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def copy(self, source_url: str, target_url: str) -> None:
        """Fill an empty database with what another one, perhaps in use, holds at this moment."""
        programs = self._programs.folder
        dump = subprocess.run(
            [programs / "pg_dump", "--no-owner", source_url], capture_output=True, check=True
        )
        restore = [programs / "psql", "--quiet", "--set=ON_ERROR_STOP=1", target_url]
        subprocess.run(restore, input=dump.stdout, stdout=subprocess.DEVNULL, check=True)

    def disconnect(self, database: str) -> None:
        """Cut everybody's connections to a database."""
        with self.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [database],
            )

    @contextmanager
    def rejecting(self, database: str) -> Iterator[None]:
        """Its rules let nobody into this database meanwhile; who is in stays."""
        rules = self._data / "pg_hba.conf"
        kept = rules.read_text()
        rules.write_text(f"host {database} {ROLE} 0.0.0.0/0 reject\n{kept}")
        self.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            rules.write_text(kept)
            self.execute("SELECT pg_reload_conf()")

    def execute(self, statement: LiteralString, *names: str) -> None:
        """Say something as the superuser; each {} is a name."""
        with self.connect() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    @contextmanager
    def connect(self, database: str = "postgres") -> Iterator[psycopg.Connection[Any]]:
        """A superuser's connection; each of its statements commits by itself."""
        url = self.url(database, "postgres")
        with closing(psycopg.connect(url, autocommit=True, connect_timeout=5)) as connection:
            yield connection

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _create(self) -> None:
        password = self.folder / "password"
        password.write_text(secrets.token_hex(16))
        password.chmod(0o600)
        self._programs.give(password)
        options = ["--username=postgres", f"--pwfile={password}", "--auth=scram-sha-256"]
        new = self.folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        self._programs.run("initdb", f"--pgdata={new}", *options, *_locale(self._programs))
        new.rename(self._data)

    def _await(self) -> None:
        """Until it takes connections; its role is there then."""
        end = time.monotonic() + _START_S
        while True:
            try:
                with self.connect() as connection:
                    _ensure_role(connection, self.password)
                    return
            except psycopg.OperationalError:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > end:
                    raise PostgresMissing(
                        f"PostgreSQL did not start:\n{self.log.read_text()}"
                    ) from None
                time.sleep(0.02)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(how)
            self._process.wait(_STOP_S)
            self._process = None


def _options(settings: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in settings.items()]


def _locale(programs: Programs) -> list[str]:
    """UTF-8, and texts in the order of their code points on every machine."""
    if programs.version < 17:  # its own locale came with this release
        return ["--encoding=UTF8", "--locale=C.UTF-8"]
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--encoding=UTF8", "--locale=C", *builtin]


def _ensure_role(connection: psycopg.Connection[Any], password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone()
    if known is None:
        create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        connection.execute(create.format(sql.Identifier(ROLE), sql.Literal(password)))


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> int:
    """Serve until Ctrl-C; with --check, say only whether it can be done."""
    try:
        with PostgresServer() as server:
            if "--check" not in sys.argv:
                sys.stdout.write(f"{server.create_database(ROLE)}\n")
                sys.stdout.flush()
                signal.pause()
    except PostgresMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
