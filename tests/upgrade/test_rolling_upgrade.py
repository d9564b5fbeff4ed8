"""A release is replaced while it takes payments: its code on the new schema, the new on the old.

Both releases run as processes on one PostgreSQL database and one bank. At the end nothing that a
merchant was told is missing, nothing was paid twice, and all books agree.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from netvalve.cli.sandbox.merchant import SandboxMerchant, sandbox_merchant
from postgres import PostgresServer
from running import CARD
from stores import change, rows_of
from upgrade.releases import Program, Release, previous_release, this_release

CALLERS_EACH = 2
ENOUGH = 30
ENDS_WITHIN_S = 60
APPROVED = "GTW_1000"
BANK = "Mock Bank"
_ENROL = """
import sys
from netvalve.cli.sandbox.enrolment import prepare_store
from netvalve.cli.sandbox.merchant import sandbox_merchant
from netvalve.config import Settings
prepare_store(Settings(), sandbox_merchant(sys.argv[1], int(sys.argv[2])))
"""


class Load:
    """Merchants at every gateway that is open; each order is paid, and a third of it refunded."""

    def __init__(self, merchant: SandboxMerchant) -> None:
        self._headers = {
            "netvalve-client-id": merchant.client.netvalve_client_id,
            "netvalve-api-key": merchant.credentials.api_key,
        }
        self._numbers = count(1)
        self._over = threading.Event()
        self._closed: set[str] = set()
        self._callers = ThreadPoolExecutor(32)
        self._calls: list[Any] = []
        self.paid: dict[str, int] = {}
        """Transactions by the merchant's own numbers, as approved."""
        self.refunded: Counter[int] = Counter()
        self.by_gateway: Counter[str] = Counter()

    def open(self, base_url: str) -> None:
        """Pay through this gateway as well."""
        for _ in range(CALLERS_EACH):
            self._calls.append(self._callers.submit(self._pay, base_url))

    def close(self, base_url: str) -> None:
        """Pay no more through this one: what is under way is answered first."""
        self._closed.add(base_url)
        time.sleep(0.5)

    def until(self, base_url: str, more: int = ENOUGH) -> None:
        """Return when this gateway has taken so many more payments."""
        end_s, enough = time.monotonic() + ENDS_WITHIN_S, self.by_gateway[base_url] + more
        while self.by_gateway[base_url] < enough:
            assert time.monotonic() < end_s, f"{base_url} takes no payments"
            for call in self._calls:
                if call.done():
                    call.result()
            time.sleep(0.05)

    def end(self) -> None:
        """Let everything under way be answered."""
        self._over.set()
        self._callers.shutdown()
        for call in self._calls:
            call.result()

    def _pay(self, base_url: str) -> None:
        with httpx.Client(
            base_url=base_url, headers=self._headers, timeout=30, trust_env=False
        ) as http:
            while not (self._over.is_set() or base_url in self._closed):
                own = f"upgrade-{next(self._numbers)}"
                sale = {"midId": 1, "amount": 9, "currency": "USD", "clientOrderId": own, **CARD}
                number = _approved(http.post("/sale", json=sale))
                self.paid[own] = number
                _approved(http.post("/refund", json={"transactionID": number, "amount": 3}))
                self.refunded[number] += 1
                self.by_gateway[base_url] += 1


def _approved(response: httpx.Response) -> int:
    body = response.json()
    assert body["responseCode"] == APPROVED, response.text
    number: int = body["transactionID"]
    return number


class Shop:
    """The database, the bank and the merchant that both releases serve."""

    def __init__(self, home: Path, database_url: str, old: Release, new: Release) -> None:
        self.home, self.database_url, self.old, self.new = home, database_url, old, new
        self._numbers = count(1)
        own = {name: each for name, each in os.environ.items() if not name.startswith("NETVALVE_")}
        self.environment = own | {
            "NETVALVE_HOME": str(home),
            "NETVALVE_DATABASE": database_url,
            "NETVALVE_PORT": "0",
            "NETVALVE_BANK_PORT": "0",
            "NETVALVE_BANK_ADMIN_PORT": "0",
            "NETVALVE_LEASE_S": "5",
        }

    @contextmanager
    def bank(self) -> Iterator[Program]:
        with self.new.start(self.environment, self.home / "bank.err", "bank") as running:
            yield running

    def gateway(self, release: Release) -> Program:
        """A node of a release, its link to the merchant's bank up."""
        log = self.home / f"gateway-{next(self._numbers)}.err"
        started = release.start(self.environment, log, "serve")
        end_s = time.monotonic() + ENDS_WITHIN_S
        while not _reaches_its_bank(started.says["base_url"]):
            if time.monotonic() > end_s:
                started.end()
                raise AssertionError(log.read_text())
            time.sleep(0.05)
        return started

    def enrol(self, bank: Mapping[str, Any]) -> SandboxMerchant:
        """The previous release makes its tables, and the merchant in them."""
        place = bank["host"], str(bank["port"])
        self.old.python(self.environment, "-c", _ENROL, *place)
        return sandbox_merchant(bank["host"], bank["port"])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return rows_of(self.database_url, query)

    def assert_all_agrees(self, load: Load, admin_port: int) -> None:
        """Each order is paid once and refunded once; store and bank agree, to the last unit."""
        stored = self.rows("SELECT client_order_id, opening_id, refunded_minor FROM orders")
        assert {own: number for own, number, _ in stored} == load.paid
        assert {minor for *_, minor in stored} == {300}
        assert set(load.refunded.values()) == {1}
        self.new.run(self.environment, "verify")
        book = httpx.get(f"http://127.0.0.1:{admin_port}/book.csv", trust_env=False).text
        file = self.home / "book.csv"
        file.write_text(book)
        self.new.run(self.environment, "reconcile", str(file))


def _reaches_its_bank(base_url: str) -> bool:
    """Of the merchant's banks one is never there."""
    banks = httpx.get(f"{base_url}/health/ready", timeout=30, trust_env=False).json()["banks"]
    return banks.get(BANK) is True


@pytest.fixture
def shop(tmp_path: Path, postgres: PostgresServer) -> Iterator[Shop]:
    name = "rolling_upgrade"
    url = postgres.create_database(name)
    home = tmp_path / "home"
    home.mkdir()
    yield Shop(home, url, previous_release(tmp_path / "previous"), this_release())
    postgres.drop_database(name)


def test_a_release_is_replaced_node_by_node_while_it_takes_payments(shop: Shop) -> None:
    with shop.bank() as bank:
        load = Load(shop.enrol(bank.says))
        running: list[Program] = []

        def begin(release: Release) -> str:
            running.append(shop.gateway(release))
            base_url: str = running[-1].says["base_url"]
            load.open(base_url)
            return base_url

        try:
            old = begin(shop.old)
            load.until(old)
            new_on_old_schema = begin(shop.new)
            load.until(new_on_old_schema)
            shop.new.run(shop.environment, "migrate")
            load.until(old)
            load.until(new_on_old_schema)
            old_on_new_schema = begin(shop.old)
            new = begin(shop.new)
            for each in (old_on_new_schema, new):
                load.until(each)
            for base_url in (old, old_on_new_schema):
                load.close(base_url)
            assert [running[place].end() for place in (0, 2)] == [0, 0]
            load.until(new)
        finally:
            load.end()
            statuses = [each.end() for each in running]
        assert set(statuses) == {0}
        shop.assert_all_agrees(load, bank.says["admin_port"])


def test_the_previous_release_refuses_a_schema_that_asks_for_a_later_one(shop: Shop) -> None:
    shop.new.run(shop.environment, "keyring", "new")
    shop.new.run(shop.environment, "migrate")
    change(shop.database_url, "UPDATE alembic_version SET version_num = '9999'")
    change(shop.database_url, "UPDATE compatibility SET oldest_revision = '9999'")
    with pytest.raises(AssertionError, match="needs one that knows 9999"):
        shop.old.run(shop.environment, "serve")
