"""`netvalve bank` and `netvalve serve`, as an operator starts them, with the sandbox's merchant."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx

from netvalve.cli.sandbox.enrolment import prepare_store
from netvalve.cli.sandbox.merchant import sandbox_merchant
from netvalve.config import Settings

PATIENCE_S = 40.0
_PROGRAM = (sys.executable, "-m", "netvalve.cli")
_BACKLOG = re.compile(
    r"^netvalve_(?:transactions_pending|reversals_waiting)(?:\{.*\})? (\S+)$", re.MULTILINE
)


class Served:
    """A gateway, however many processes it has, and its bank."""

    def __init__(self, home: Path, database_url: str, *, workers: int, **settings: object) -> None:
        own = {name: each for name, each in os.environ.items() if not name.startswith("NETVALVE_")}
        given = {
            "home": home,
            "database": database_url,
            "workers": workers,
            "port": 0,
            "bank_port": 0,
            "bank_admin_port": 0,
            "log_file": home / "gateway.log",
            **settings,
        }
        self.log, self._errors = home / "gateway.log", home / "errors"
        self._environment = own | {f"NETVALVE_{name.upper()}": f"{given[name]}" for name in given}
        self._bank, self.bank = self._started("bank", NETVALVE_LOG_FILE=str(home / "bank.log"))
        self._merchant = sandbox_merchant(self.bank["host"], self.bank["port"])
        prepare_store(Settings(home=home, database=database_url), self._merchant)
        self.process, said = self._started("serve")
        self.base_url: str = said["base_url"]
        self._until_ready(workers)

    def async_client(self, connections: int) -> httpx.AsyncClient:
        """A merchant's client: connections stay open, spread over the workers."""
        headers = {
            "netvalve-client-id": self._merchant.client.netvalve_client_id,
            "netvalve-api-key": self._merchant.credentials.api_key,
        }
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        return httpx.AsyncClient(
            base_url=self.base_url, headers=headers, timeout=60, limits=limits, trust_env=False
        )

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The log's lines of one event; each line must be whole."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["event"] == event]

    def workers(self) -> list[int]:
        """The processes that take requests, or are about to."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(each) for each in children.read_text().split()]

    def metrics(self) -> str:
        """What some worker tells of all."""
        return httpx.get(f"{self.base_url}/metrics", trust_env=False).text

    def until_all_is_ended(self) -> None:
        """Waits until no transaction is without an outcome."""
        end_s = time.monotonic() + PATIENCE_S
        while (waiting := _BACKLOG.findall(self.metrics())) != ["0.0", "0.0"]:
            assert time.monotonic() < end_s, waiting
            time.sleep(0.1)

    def assert_the_books_agree(self) -> None:
        """The store with itself, and with the bank's book."""
        self._command("verify")
        book = httpx.get(f"http://127.0.0.1:{self.bank['admin_port']}/book.csv", trust_env=False)
        self._command("reconcile", "-", stdin=book.text)

    def restart(self) -> None:
        """Serve again on the same store, after an end."""
        _ended(self.process)
        self.process, said = self._started("serve")
        self.base_url = said["base_url"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _ended(self.process)
        _ended(self._bank)

    def _started(
        self, command: str, **environment: str
    ) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
        """A program and the line it says once it listens."""
        with self._errors.open("ab") as errors:
            process = subprocess.Popen(
                [*_PROGRAM, command, "--json"],
                env=self._environment | environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert process.stdout
        line = process.stdout.readline()
        assert line, self._errors.read_text()
        return process, json.loads(line)

    def _until_ready(self, workers: int) -> None:
        """Until each worker has its bank: it is no other's, and they are asked at random."""
        end_s = time.monotonic() + PATIENCE_S
        ready = 0
        while ready < 10 * workers:
            answer = httpx.get(f"{self.base_url}/health/ready", trust_env=False)
            up = answer.status_code == 200 and answer.json()["banks"]["Mock Bank"]
            ready = ready + 1 if up else 0
            assert time.monotonic() < end_s, answer.text

    def _command(self, *arguments: str, stdin: str | None = None) -> None:
        done = subprocess.run(
            [*_PROGRAM, *arguments],
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(PATIENCE_S)
    assert process.stdout
    process.stdout.close()
