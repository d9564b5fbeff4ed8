"""Three database machines, each with etcd, Patroni and PostgreSQL, from the files in `deploy/`."""

import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import psycopg

from ha.deployed import deployed, settings_of
from ha.machine import Machine
from ha.programs import postgresql_programs

DATABASE = "netvalve"
USER = "netvalve"
_PATRONI_PORT = 8008
_ASK_S = 1.0
_STOP_S = 30.0
_ROUND_S = 0.2


class Cluster:
    """The database, wherever its primary is."""

    def __init__(self, folder: Path) -> None:
        self.machines = tuple(
            Machine(name, host, folder / name)
            for name, host in (("db1", 11), ("db2", 12), ("db3", 13))
        )
        self.password = secrets.token_hex(12)
        names = ("SUPERUSER", "REPLICATION", "REWIND", "RESTAPI")
        self._secrets = {f"PATRONI_{name}_PASSWORD": secrets.token_hex(12) for name in names}
        self._patroni: dict[str, subprocess.Popen[bytes]] = {}
        self._http = httpx.Client(timeout=_ASK_S, trust_env=False)

    def start(self, within_s: float) -> None:
        """Everything, until two standbys stream; then the gateway's database."""
        for machine in self.machines:
            machine.keep("/var/lib/postgresql", "postgres")
            machine.keep("/var/lib/etcd", "etcd")
            machine.keep("/run/postgresql", "postgres")
            self.boot(machine)
        self.until_whole(within_s)
        self._make_database()

    def boot(self, machine: Machine) -> None:
        """Start what a machine starts when it is switched on."""
        etcd = _of_machine(settings_of("etcd.env"), machine)
        machine.start("etcd", user="etcd", settings=etcd, log="etcd.log")
        self.start_patroni(machine)

    def start_patroni(self, machine: Machine) -> None:
        """Start Patroni, which starts PostgreSQL."""
        settings = {
            **_of_machine(settings_of("patroni.env"), machine),
            **self._secrets,
            "PATRONI_POSTGRESQL_BIN_DIR": str(postgresql_programs()),
        }
        self._patroni[machine.name] = machine.start(
            *("patroni", str(deployed("patroni.yml"))),
            user="postgres",
            settings=settings,
            log="patroni.log",
        )

    def stop_patroni(self, machine: Machine) -> None:
        """Stop a machine's PostgreSQL as an operator does."""
        running = self._patroni.pop(machine.name)
        running.send_signal(signal.SIGTERM)
        running.wait(_STOP_S)

    def stop(self) -> None:
        """Take the machines away."""
        self._http.close()
        for machine in self.machines:
            machine.off()

    def primary(self) -> Machine:
        """The machine that takes writes.

        Raises:
            RuntimeError: there is none.
        """
        for machine in self.machines:
            if self._answers(machine, "/primary"):
                return machine
        raise RuntimeError("there is no primary")

    def synchronous(self) -> Machine:
        """A machine that a commit waits for."""
        names = {each["name"] for each in self.members() if each["role"] == "sync_standby"}
        return next(each for each in self.machines if each.name in names)

    def members(self) -> Sequence[Mapping[str, Any]]:
        """Every member as the cluster sees itself: name, role, state, lag."""
        return self._members_by(self.primary())

    def until_whole(self, within_s: float) -> float:
        """Seconds until there is a primary with two synchronous standbys that stream.

        Raises:
            TimeoutError: there is not.
        """
        return until(self._is_whole, within_s, "the cluster to be whole")

    def connect(self, user: str = USER, database: str = DATABASE) -> psycopg.Connection[Any]:
        """A connection to the primary."""
        password = self.password if user == USER else self._secrets["PATRONI_SUPERUSER_PASSWORD"]
        return psycopg.connect(
            host=self.primary().address,
            user=user,
            password=password,
            dbname=database,
            autocommit=True,
        )

    def _is_whole(self) -> bool:
        try:
            members = self.members()
        except (RuntimeError, httpx.HTTPError):
            return False
        roles = sorted(each["role"] for each in members if each["state"] in _SERVING)
        return roles == ["leader", "sync_standby", "sync_standby"] and self._streaming() == 2

    def _streaming(self) -> int:
        """How many standbys get the log as it is written."""
        try:
            with self.connect("postgres", "postgres") as connection:
                streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
                row = connection.execute(streaming).fetchone()
        except (psycopg.OperationalError, RuntimeError):
            return 0
        return 0 if row is None else int(row[0])

    def _members_by(self, machine: Machine) -> Sequence[Mapping[str, Any]]:
        address = f"http://{machine.address}:{_PATRONI_PORT}/cluster"
        members: Sequence[Mapping[str, Any]] = self._http.get(address).json()["members"]
        return members

    def _answers(self, machine: Machine, path: str) -> bool:
        try:
            answer = self._http.get(f"http://{machine.address}:{_PATRONI_PORT}{path}")
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def _make_database(self) -> None:
        with self.connect("postgres", "postgres") as connection:
            connection.execute(f"CREATE ROLE {USER} LOGIN PASSWORD '{self.password}'")
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {USER}")


_SERVING = frozenset({"running", "streaming"})


def _of_machine(settings: Mapping[str, str], machine: Machine) -> Mapping[str, str]:
    """The example's settings, which are db1's, as this machine's."""
    own = {"ETCD_NAME": machine.name, "PATRONI_NAME": machine.name}
    return {
        name: own.get(name, each if "CLUSTER" in name else each.replace(_EXAMPLE, machine.address))
        for name, each in settings.items()
    }


_EXAMPLE = "10.20.0.11"


def until(holds: Callable[[], bool], within_s: float, what: str) -> float:
    """Seconds until something holds.

    Raises:
        TimeoutError: it does not; the message names `what`.
    """
    began_s = time.monotonic()
    while not holds():
        if time.monotonic() - began_s > within_s:
            raise TimeoutError(f"waited {within_s} s for {what}")
        time.sleep(_ROUND_S)
    return time.monotonic() - began_s
