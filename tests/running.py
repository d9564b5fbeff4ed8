"""Real processes for tests: a sandbox with its bank, in a folder of its own, on free ports."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

from stores import PROGRAM_STORES, SQLITE_FILE, rows_of

CARD = {
    "cardNumber": "4012000098765439",
    "cardExpireMonth": "12",
    "cardExpireYear": "2030",
    "cardSecurityCode": "999",
}
DECLINED_CARD = "4532802195368940"

START_S = 30.0
_orders = count(1)
_run = uuid4().hex[:8]


def fresh_order() -> str:
    """A clientOrderId that no test has used."""
    return f"order-{_run}-{next(_orders)}"


class Sandbox:
    """`netvalve sandbox` as a process group of its own."""

    def __init__(self, home: Path, **settings: object) -> None:
        self.home = home
        self.log = home / "sandbox.log"
        settings = {**PROGRAM_STORES.setting(home), **settings}
        self.database_url = str(settings.get("database", home / SQLITE_FILE))
        self._settings = {f"NETVALVE_{name.upper()}": str(each) for name, each in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self.facts: Mapping[str, Any] = {}

    @property
    def environment(self) -> dict[str, str]:
        """Its settings, as its own commands must see them."""
        ports = {"NETVALVE_PORT": "0", "NETVALVE_BANK_PORT": "0", "NETVALVE_BANK_ADMIN_PORT": "0"}
        own = {name: each for name, each in os.environ.items() if not name.startswith("NETVALVE_")}
        return {**own, **ports, "NETVALVE_HOME": str(self.home), **self._settings}

    def start(self) -> Self:
        """Start it and wait until it can be paid through."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "sandbox.json").unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "netvalve.cli", "sandbox"],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + START_S
        while not (self.home / "sandbox.json").exists():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the sandbox did not start:\n{self.log.read_text()}")
            time.sleep(0.02)
        self.facts = json.loads((self.home / "sandbox.json").read_text())
        self._await_bank()
        return self

    def _await_bank(self) -> None:
        with self.client() as client:
            end = time.monotonic() + START_S
            while time.monotonic() < end:
                sale = {"midId": 1, "amount": 1, "currency": "USD", **CARD}
                if client.post("/sale", json=sale).json().get("responseCode") == "GTW_1000":
                    return
                time.sleep(0.05)
        raise RuntimeError("no sale was approved")

    @property
    def pid(self) -> int:
        """The gateway's process."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return str(self.facts["base_url"])

    @property
    def admin_url(self) -> str:
        """The test bank's admin, as the sandbox has announced it."""
        text = self.log.read_text()
        return "http://127.0.0.1:" + text.rsplit("its admin http://127.0.0.1:", 1)[1].split()[0]

    def headers(self) -> dict[str, str]:
        """The sandbox's API key."""
        return {
            "netvalve-client-id": self.facts["client_id"],
            "netvalve-api-key": self.facts["api_key"],
        }

    def client(self, **options: Any) -> httpx.Client:
        """An HTTP client with the sandbox's credentials."""
        return httpx.Client(
            base_url=self.base_url, headers=self.headers(), timeout=30, trust_env=False, **options
        )

    def async_client(self, connections: int = 100) -> httpx.AsyncClient:
        """The same for many requests at once."""
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        return httpx.AsyncClient(
            base_url=self.base_url,
            headers=self.headers(),
            timeout=60,
            limits=limits,
            trust_env=False,
        )

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another `netvalve` command on this sandbox's data."""
        return subprocess.run(
            [sys.executable, "-m", "netvalve.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """What a query finds in its store, past the gateway."""
        return rows_of(self.database_url, query, **values)

    def interrupt(self, wait_s: float = 40.0) -> int:
        """Ctrl-C: the signal goes to the whole group. Its exit status."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        status = self._process.wait(wait_s)
        self._process = None
        return status

    def kill(self) -> None:
        """End the gateway as kill -9 does; its bank ends by itself."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.interrupt()


class Merchant:
    """A merchant's program: the API with sensible defaults, every answer's body as it came."""

    def __init__(self, client: httpx.Client) -> None:
        self.http = client

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """One POST with status 200; its body."""
        response = self.http.post(path, json=body)
        if response.status_code != 200:
            raise RuntimeError(f"{path}: {response.status_code} {response.text}")
        answer: dict[str, Any] = response.json()
        return answer

    def sale(self, amount: object = 12.5, **fields: Any) -> dict[str, Any]:
        """A sale at account 1."""
        return self.post("/sale", **_charge(amount, fields))

    def authorize(self, amount: object = 100, **fields: Any) -> dict[str, Any]:
        """An authorize at account 1."""
        return self.post("/authorize", **_charge(amount, fields))

    def get(self, path: str, **query: Any) -> Any:
        """One GET with status 200; its body."""
        response = self.http.get(path, params=query)
        if response.status_code != 200:
            raise RuntimeError(f"{path}: {response.status_code} {response.text}")
        return response.json()


def _charge(amount: object, fields: Mapping[str, Any]) -> dict[str, Any]:
    plain = {
        "midId": 1,
        "amount": amount,
        "currency": "USD",
        "clientOrderId": fresh_order(),
        **CARD,
        **fields,
    }
    return {name: value for name, value in plain.items() if value is not None}
