"""A gateway under measurement: one store, so many workers, a bank; and the proof at its end.

The processes are those that an operator starts (`netvalve serve`), in a folder of their own, on
free ports. When a station ends, everything that was counted on it must be on both sides.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.banks import BARE, Bank, bank
from bench.machine import children_of, cpu_s, resident_mib
from bench.programs import ROOT, environment, program
from bench.stores import Stores
from netvalve.cli.sandbox.enrolment import prepare_store
from netvalve.cli.sandbox.merchant import sandbox_merchant
from netvalve.config import Settings
from netvalve.domain.bank_book import book_lines
from netvalve.storage.engine import is_sqlite


@dataclass(frozen=True, slots=True)
class Spent:
    """Processor time in microseconds: the gateway's, PostgreSQL's, the bank's."""

    gateway_us: float
    store_us: float
    bank_us: float

    def since(self, before: "Spent", done: int) -> "Spent":
        """What each of so many things has cost since an earlier moment."""
        units = max(done, 1)
        return Spent(
            (self.gateway_us - before.gateway_us) / units,
            (self.store_us - before.store_us) / units,
            (self.bank_us - before.bank_us) / units,
        )


@dataclass(slots=True)
class Station:
    """What is measured, the processes whose time counts, and what was counted."""

    name: str
    base_url: str
    client_id: str
    api_key: str
    database_url: str
    home: Path
    bank: Bank
    gateway_pid: int
    stores: Stores
    loads: int = 0
    """How often it was put under load: each time under new order names."""
    approved: int = 0
    """Answers that said so, of everything that moves money."""
    sold: list[str] = field(default_factory=list)
    """Transactions of sales of which nothing was refunded yet."""
    sales_per_s: float = 0.0
    """The most that it was seen to sell."""

    @property
    def gateway_pids(self) -> tuple[int, ...]:
        """The process that was started, and its workers."""
        return (self.gateway_pid, *children_of(self.gateway_pid))

    @property
    def gateway_mib(self) -> float:
        """Resident memory of the gateway's largest process."""
        return max(map(resident_mib, self.gateway_pids))

    def spent(self) -> Spent:
        """Since the processes began; the difference of two counts."""
        return Spent(
            cpu_s(self.gateway_pids) * 1e6,
            cpu_s(self.stores.pids(self.database_url)) * 1e6,
            cpu_s([self.bank.pid]) * 1e6,
        )


@contextmanager
def station(
    stores: Stores,
    database_url: str,
    home: Path,
    *,
    workers: int = 1,
    bank_kind: str = BARE,
    title: str = "",
    first_own: int = 0,
) -> Iterator[Station]:
    """Start a gateway and a bank on a store, and prove at the end what was counted.

    Of a store that was filled beforehand the proof is about what the station has added: the
    transactions from `first_own` on.
    """
    home.mkdir(parents=True)
    kind = "SQLite" if is_sqlite(database_url) else "PostgreSQL"
    settings = {"home": home, "database": database_url, "port": 0, "log_file": home / "gateway.log"}
    options = ("--workers", str(workers)) if workers > 1 else ()
    with ExitStack() as parts:
        its_bank = parts.enter_context(bank(bank_kind, home))
        merchant = sandbox_merchant(its_bank.host, its_bank.port)
        prepare_store(Settings(home=home, database=database_url), merchant)
        with program("netvalve.cli", "serve", "--json", *options, home=home, settings=settings) as (
            gateway
        ):
            gateway.forget_output()
            measured = Station(
                name=title or f"{kind}, {workers} worker{'s' if workers > 1 else ''}",
                base_url=gateway.said["base_url"],
                client_id=merchant.client.netvalve_client_id,
                api_key=merchant.credentials.api_key,
                database_url=database_url,
                home=home,
                bank=its_bank,
                gateway_pid=gateway.pid,
                stores=stores,
            )
            yield measured
        prove(measured, first_own)


_PROVED: Final = "bench: %s: verify %s; %d payments on both sides, %d counted"


def prove(on: Station, first_own: int = 0) -> None:
    """Every payment that was counted is in the store and in the bank's book, and both agree.

    Raises:
        SystemExit: they do not, and where.
    """
    book = on.home / "book.csv"
    on.bank.write_book(book)
    found = _netvalve(on, "reconcile", str(book), "--json")
    differences = [each for each in found["differences"] if _is_own(each, first_own)]
    if differences:
        raise SystemExit(f"bench: {on.name}: the bank's book differs: {differences[:3]}")
    with book.open() as text:
        booked = sum(line.moves_money for line in book_lines(text))
    if booked < on.approved:
        raise SystemExit(
            f"bench: {on.name}: {on.approved} payments were counted, {booked} are on both sides"
        )
    verified = "was not asked of a filled store" if first_own else _verified(on)
    print(_PROVED % (on.name, verified, booked, on.approved), file=sys.stderr)


def _is_own(difference: Mapping[str, Any], first_own: int) -> bool:
    number = difference["transaction_id"]
    return number is None or number >= first_own


def _verified(on: Station) -> str:
    broken = _netvalve(on, "verify", "--json")["broken"]
    if broken:
        raise SystemExit(f"bench: {on.name}: {broken} rules are broken in the store")
    return "finds nothing broken"


def _netvalve(on: Station, *command: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "netvalve.cli", *command],
        env=environment({"home": on.home, "database": on.database_url}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout:
        raise SystemExit(f"bench: netvalve {command[0]} failed: {done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
