"""Memory of one gateway process: over 100,000 sales, and over an export of 1,000,000 rows.

    make bench-memory [BENCH="--sales 100000 --rows 1000000"]

The rows of the exports, one as CSV and one as NDJSON, are copies of one sale, written straight
into the store of a stopped sandbox; the sales and the exports go over HTTP.
"""

import argparse
import shutil
import sqlite3
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from run import Running, level_of, resident_mib, running_sandbox

_STEPS = 10
_COPIED = {
    "transaction_id": "transaction_id + 1000000 + n.value",
    "order_id": "order_id + 1000000 + n.value",
    "client_order_id": "client_order_id || '-' || n.value",
    "amount_minor": "amount_minor + n.value % 100000",
    "opened_at_ms": "opened_at_ms + n.value",
    "created_at_ms": "created_at_ms + n.value",
}
"""What is not the same in a copy."""


def main() -> int:
    """Measure and print."""
    options = _options()
    if shutil.which("wrk") is None:
        print("bench: wrk is needed (Debian and Ubuntu: apt-get install wrk)", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="netvalve-bench-") as home:
        with running_sandbox(home) as running:
            for sold, mib in _while_selling(running, options.sales):
                print(f"{sold:9d} sales      {mib:8.1f} MiB")
        _fill(Path(home) / "netvalve.sqlite3", options.rows)
        with running_sandbox(home) as running:
            for form in ("text/csv", "application/x-ndjson"):
                _export(running, form)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sales", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    return parser.parse_args()


def _while_selling(running: Running, sales: int) -> Iterator[tuple[int, float]]:
    sold, step = 0, sales // _STEPS
    while sold < sales:
        sold += level_of(running, 64, 2).sales
        if sold >= step:
            step += sales // _STEPS
            yield sold, resident_mib(running.gateway_pid)


def _fill(store: Path, rows: int) -> None:
    """Copies of the newest sale, each on an order of its own, until there are so many."""
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("BEGIN")
    (have,) = connection.execute("SELECT count(*) FROM transactions").fetchone()
    newest = "SELECT max(transaction_id), max(order_id) FROM transactions"
    transaction_id, order_id = connection.execute(newest).fetchone()
    copies = max(rows - have, 1)
    _copy(connection, "orders", "order_id", order_id, copies)
    _copy(connection, "transactions", "transaction_id", transaction_id, copies)
    connection.execute("COMMIT")
    connection.close()


def _copy(connection: sqlite3.Connection, table: str, key: str, original: int, copies: int) -> None:
    """Each a millisecond and a cent after the one before."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    copied = ", ".join(_COPIED.get(name, name) for name in columns)
    connection.execute(
        f"WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n"
        " WHERE value < :copies)"
        f" INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {copied} FROM n, {table} WHERE {key} = :original",
        {"copies": copies, "original": original},
    )


def _export(running: Running, form: str) -> None:
    facts = running.facts
    request = urllib.request.Request(
        f"{facts['base_url']}/export",
        headers={
            "netvalve-client-id": facts["client_id"],
            "netvalve-api-key": facts["api_key"],
            "accept": form,
        },
    )
    before, highest, rows, seen = resident_mib(running.gateway_pid), 0.0, 0, 0
    began = time.perf_counter()
    with urllib.request.urlopen(request) as stream:
        while chunk := stream.read(1 << 20):
            rows += chunk.count(b"\n")
            seen += len(chunk)
            highest = max(highest, resident_mib(running.gateway_pid))
    took = time.perf_counter() - began
    print(
        f"{rows:9d} rows exported, {seen / 2**20:.0f} MiB of {form} in {took:.1f} s "
        f"({rows / took:.0f} rows/s); resident {before:.1f} MiB before, {highest:.1f} MiB at most"
    )


if __name__ == "__main__":
    raise SystemExit(main())
