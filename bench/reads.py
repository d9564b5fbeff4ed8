"""Listings at size: the first page and page 1,000 of many filters, on both databases.

    make bench-reads [ROWS=10000000] [BENCH="--databases sqlite,postgresql --runs 9"]

Fills a SQLite file and a PostgreSQL of its own (see `filling`), and reads pages of 20 through the
read side of the running store, count included. Prints a table for each database and writes the
same as JSON to bench/results/reads.json. 10,000,000 transactions take some 30 GB while it runs.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from filling import Filled, fill
from netvalve.domain.search import PageRequest, Search, SearchTooBroad
from netvalve.domain.transaction import TransactionType
from netvalve.storage.engine import is_sqlite
from netvalve.storage.postgres.store import PostgresStore
from netvalve.storage.sqlite.store import SqliteStore
from netvalve.telemetry.metrics import Metrics
from over_http import Exported, Served, exports, figures, served
from postgres import PostgresServer

RESULTS: Final = Path(__file__).parent / "results" / "reads.json"
PAGE: Final = 20
DEEP: Final = 1_000
DAY_MS: Final = 86_400_000
BIG, MIDDLE, SMALL = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Case:
    """A search, on `/orders` or on `/export`."""

    name: str
    listing: str
    search: Search


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of one page of one search."""

    database: str
    case: str
    listing: str
    total: int | None
    page: int
    best_ms: float
    median_ms: float
    worst_ms: float


def cases(end_ms: int) -> Iterator[Case]:
    """What is asked."""
    week, day = end_ms - 7 * DAY_MS, end_ms - DAY_MS
    midnight = day // DAY_MS * DAY_MS
    of_both = {
        "everything": {},
        "one account": {"mid_id": 3},
        "a currency": {"currency": "EUR"},
        "a day": {"from_ms": midnight, "to_ms": midnight + DAY_MS - 1},
        "a week, to the millisecond": {"from_ms": week + 1_234_567, "to_ms": day + 7_654_321},
        "sales": {"transaction_types": (TransactionType.SALE,)},
        "an account's sales of a week": {
            "mid_id": 3, "transaction_types": (TransactionType.SALE,), "from_ms": week,
        },
        "what captured money": {"only_settled": True},
        "an account's rebills of a week, in its currency": {
            "mid_id": 2, "transaction_types": (TransactionType.REBILL,), "currency": "EUR",
            "from_ms": week + 1, "to_ms": day,
        },
    }  # fmt: skip
    for name, filters in of_both.items():
        yield Case(name, "/orders", Search(BIG, **filters))
        yield Case(name, "/export", Search(BIG, **filters))
    for word in ("Captured", "Declined", "Partially Refunded", "Pending"):
        yield Case(f"status {word}", "/orders", Search(BIG, order_status=word))
        yield Case(f"status {word}", "/export", Search(BIG, transaction_status=word))
    yield Case("captures", "/export", Search(BIG, transaction_types=(TransactionType.CAPTURE,)))
    yield Case("refunds", "/export", Search(BIG, transaction_types=(TransactionType.REFUND,)))
    yield Case("orders with a refund", "/orders",
               Search(BIG, transaction_types=(TransactionType.REFUND,)))  # fmt: skip
    yield Case("orders with a refused capture", "/orders",
               Search(BIG, transaction_types=(TransactionType.CAPTURE,),
                      transaction_status="Declined"))  # fmt: skip
    refund, capture = (TransactionType.REFUND,), (TransactionType.CAPTURE,)
    of_orders: dict[str, dict[str, Any]] = {
        "orders with a capture": {"transaction_types": capture},
        "orders with a capture or a refund": {"transaction_types": (*capture, *refund)},
        "orders with a declined transaction": {"transaction_status": "Declined"},
        "orders with a refund, of an account's week, in EUR": {
            "transaction_types": refund, "mid_id": 2, "currency": "EUR",
            "from_ms": week + 1, "to_ms": day,
        },
        "authorised orders with a refused capture": {
            "transaction_types": capture, "transaction_status": "Declined",
            "order_status": "Authorised",
        },
    }  # fmt: skip
    for name, filters in of_orders.items():
        yield Case(name, "/orders", Search(BIG, **filters))
    of_payers: dict[str, dict[str, Any]] = {
        "first name, of a week": {"first_name": "given77", "from_ms": week + 1},
        "first name, in EUR": {"first_name": "given77", "currency": "EUR"},
        "first name, refunds": {"first_name": "given77", "transaction_types": refund},
        "country, of a day": {"country": "SE", "from_ms": midnight, "to_ms": day},
    }
    for name, filters in of_payers.items():
        yield Case(name, "/export", Search(BIG, **filters))
    yield Case("the small client", "/export", Search(SMALL))
    others: dict[str, dict[str, Any]] = {
        "last four": {"last_four": "0042"},
        "e-mail": {"email": "customer1234@example.com"},
        "last name": {"last_name": "family77"},
        "first name": {"first_name": "given77"},
        "first six (rare)": {"first_six": "513170"},
        "country": {"country": "SE"},
        "amount": {"amount_min": "12.00", "amount_max": "12.50"},
        "client's order number": {"client_order_id": "order-4711"},
        "auth code": {"auth_code": "004711"},
        "bank's transaction number": {"rrn": "000000004711"},
        "wallet": {"wallet_type": "GOOGLE_PAY"},
    }
    for name, filters in others.items():
        yield Case(name, "/orders", Search(BIG, **filters))
        yield Case(name, "/export", Search(BIG, **filters))


def main() -> int:
    """Fill, measure, print."""
    options = _options()
    measured: list[Measured] = []
    exported: list[Exported] = []
    filled: dict[str, Filled] = {}
    for database in options.databases:
        with _database(database, options) as url:
            filled[database] = facts = _filled(url, options)
            _say(f"{database}: {facts}")
            measured += asyncio.run(_measured(database, url, facts.end_ms, options))
            with served(url) as asked:
                measured += _over_http(database, asked, options.runs)
                exported += exports(database, asked, facts.end_ms)
    for database in options.databases:
        _print(database, [each for each in measured if each.database == database])
        _print_exports([each for each in exported if each.database == database])
    _write(filled, measured, exported)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument(
        "--databases", type=lambda text: text.split(","), default=["sqlite", "postgresql"]
    )
    parser.add_argument("--folder", type=Path, help="kept, and taken as it is where it is full")
    return parser.parse_args()


@contextmanager
def _database(kind: str, options: argparse.Namespace) -> Iterator[str]:
    with ExitStack() as parts:
        folder = options.folder or Path(
            parts.enter_context(tempfile.TemporaryDirectory(prefix="netvalve-reads-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        if kind == "sqlite":
            yield f"sqlite:///{folder / 'store.sqlite3'}"
            return
        server = PostgresServer(
            folder / "postgres", shared_buffers="2GB", max_wal_size="8GB", work_mem="16MB"
        )
        parts.enter_context(server)
        if not (folder / "filled-postgresql.json").exists():
            server.drop_database("reads")
            server.create_database("reads")
        yield server.url("reads")
        server.execute("CHECKPOINT")  # a folder that is kept is started from again


def _filled(url: str, options: argparse.Namespace) -> Filled:
    """Filled now, or in an earlier run with the same folder."""
    kind = "sqlite" if is_sqlite(url) else "postgresql"
    note = options.folder / f"filled-{kind}.json" if options.folder else None
    if note is not None and note.exists():
        return Filled(**json.loads(note.read_text()))
    facts = fill(url, options.rows, _say)
    if note is not None:
        note.write_text(json.dumps(asdict(facts)))
    return facts


async def _measured(
    database: str, url: str, end_ms: int, options: argparse.Namespace
) -> list[Measured]:
    kind = SqliteStore if is_sqlite(url) else PostgresStore
    store: Any = await kind.start(url, clock=_Clock(), metrics=Metrics())
    found = []
    try:
        for case in cases(end_ms):
            if options.only in case.name:
                for page in (0, DEEP):
                    found.append(await _page(database, store.records, case, page, options.runs))
                    _say(f"  {found[-1]}")
                    if found[-1].total is None:
                        break
    finally:
        await store.stop()
    return [each for each in found if each.page == 0 or each.total is None or each.total]


async def _page(database: str, records: Any, case: Case, number: int, runs: int) -> Measured:
    read = records.orders if case.listing == "/orders" else records.transactions
    took_ms, total = [], None
    for _ in range(runs + 1):
        began = time.perf_counter()
        try:
            page = await read(case.search, PageRequest(number, PAGE))
        except SearchTooBroad:
            return Measured(database, case.name, case.listing, None, number, -1, -1, -1)
        took_ms.append((time.perf_counter() - began) * 1000)
        total = page.total
        if number and total <= number * PAGE:  # there is no such page: the last one instead
            number = max((total - 1) // PAGE, 0)
    return Measured(database, case.name, case.listing, total, number, *figures(took_ms[1:]))


def _over_http(database: str, asked: Served, runs: int) -> Iterator[Measured]:
    """The same through a gateway of its own."""
    for path in ("/orders", "/export"):
        for page in (0, DEEP):
            query = f"{path}?currency=EUR&page={page}&pageSize={PAGE}"
            took_ms, said = asked.took_ms(query, runs)
            name, total = "a currency, over HTTP", said["totalElements"]
            yield Measured(database, name, path, total, page, *figures(took_ms))


class _Clock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _print(database: str, measured: list[Measured]) -> None:
    print(f"\n{database}\n{'search':48} {'list':8} {'total':>11} {'page':>6} "
          f"{'best ms':>8} {'median ms':>10} {'worst ms':>9}")  # fmt: skip
    for each in measured:
        total = "refused" if each.total is None else f"{each.total:,}"
        print(f"{each.case:50} {each.listing:8} {total:>11} {each.page + 1:>6,} "
              f"{each.best_ms:>8.1f} {each.median_ms:>10.1f} {each.worst_ms:>9.1f}")  # fmt: skip


def _print_exports(exported: list[Exported]) -> None:
    for each in exported:
        print(
            f"{each.rows:,} rows exported as {each.form}, {each.mib:.0f} MiB in {each.seconds} s: "
            f"{each.rows_per_s:,} rows/s; resident {each.resident_before_mib} MiB before, "
            f"{each.resident_at_most_mib} MiB at most"
        )


def _write(filled: dict[str, Filled], measured: list[Measured], exported: list[Exported]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    facts = {
        "machine": platform.platform(),
        "load_average": os.getloadavg(),
        "filled": {name: asdict(each) for name, each in filled.items()},
        "pages": [asdict(each) for each in measured],
        "exports": [asdict(each) for each in exported],
    }
    RESULTS.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
