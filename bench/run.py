"""Sales per second of one gateway process with the test bank beside it, durable commits on.

    make bench [BENCH="--seconds 10 --connections 1,16,64,256"]

Starts a sandbox of its own in a fresh folder, drives it with wrk at each number of connections
and prints one table; writes the same as JSON to bench/results/. Every sale goes over HTTP with an
API key, is validated whole, sealed in the vault, committed before it leaves for the bank and
committed again before it is answered; the bank commits its own book before it answers.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
_START_S = 30.0


@dataclass(frozen=True, slots=True)
class Level:
    """What one number of connections gave."""

    connections: int
    sales: int
    refused: int
    sales_per_s: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    gateway_us_per_sale: float
    """CPU time of the gateway's process, user and system."""
    bank_us_per_sale: float
    gateway_mib: float
    """Resident memory of the gateway's process after the run."""


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox under measurement."""

    facts: Mapping[str, str]
    gateway_pid: int
    bank_pid: int


def main() -> int:
    """Measure and print."""
    options = _options()
    if shutil.which("wrk") is None:
        print("bench: wrk is needed (Debian and Ubuntu: apt-get install wrk)", file=sys.stderr)
        return 1
    with (
        tempfile.TemporaryDirectory(prefix="netvalve-bench-") as home,
        running_sandbox(home) as running,
    ):
        level_of(running, 16, 2)  # warm-up, not counted
        levels = [level_of(running, each, options.seconds) for each in options.connections]
        _prove(home, sum(level.sales for level in levels))
    _print(levels)
    _write(levels, options.seconds)
    return 1 if any(level.refused for level in levels) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="per number of connections")
    parser.add_argument(
        "--connections",
        type=lambda text: [int(each) for each in text.split(",")],
        default=[1, 16, 64, 256],
    )
    return parser.parse_args()


@contextmanager
def running_sandbox(home: str) -> Iterator[Running]:
    """A sandbox of its own on free ports, its log in a file; ended as Ctrl-C does."""
    environment = {
        **{name: each for name, each in os.environ.items() if not name.startswith("NETVALVE_")},
        "NETVALVE_HOME": home,
        "NETVALVE_PORT": "0",
        "NETVALVE_BANK_PORT": "0",
        "NETVALVE_BANK_ADMIN_PORT": "0",
        "NETVALVE_LOG_FILE": str(Path(home) / "gateway.log"),
    }
    (Path(home) / "sandbox.json").unlink(missing_ok=True)
    log = (Path(home) / "output.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "netvalve.cli", "sandbox"],
        env=environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield _announced(Path(home), process)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        log.close()


def _announced(home: Path, process: subprocess.Popen[bytes]) -> Running:
    end = time.monotonic() + _START_S
    while not (home / "sandbox.json").exists():
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"bench: no sandbox:\n{(home / 'output.log').read_text()}")
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    facts = json.loads((home / "sandbox.json").read_text())
    return Running(facts, process.pid, int(children[0]))


def level_of(running: Running, connections: int, seconds: int) -> Level:
    """Sales for so many seconds over so many connections."""
    before = _cpu_s(running.gateway_pid), _cpu_s(running.bank_pid)
    result = _wrk(running, connections, seconds)
    after = _cpu_s(running.gateway_pid), _cpu_s(running.bank_pid)
    sales = max(int(result["approved"]), 1)
    return Level(
        connections=connections,
        sales=int(result["approved"]),
        refused=int(result["refused"]) + int(result["socket_errors"]),
        sales_per_s=result["approved"] / result["seconds"],
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        p999_ms=result["p999_ms"],
        max_ms=result["max_ms"],
        gateway_us_per_sale=(after[0] - before[0]) / sales * 1e6,
        bank_us_per_sale=(after[1] - before[1]) / sales * 1e6,
        gateway_mib=resident_mib(running.gateway_pid),
    )


def _wrk(running: Running, connections: int, seconds: int) -> dict[str, float]:
    facts = running.facts
    run = subprocess.run(
        [
            *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"),
            *("-s", str(HERE / "sale.lua"), facts["base_url"], "--"),
            *(f"b{time.time_ns()}", facts["client_id"], facts["api_key"]),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    for line in run.stdout.splitlines():
        if line.startswith("REFUSED "):
            print(f"bench: {line}", file=sys.stderr)
    found = next(line for line in run.stdout.splitlines() if line.startswith("RESULT "))
    result: dict[str, float] = json.loads(found.removeprefix("RESULT "))
    return result


def _prove(home: str, counted: int) -> None:
    """Every sale that was counted must be in the gateway's store and in the bank's book."""
    with sqlite3.connect(f"file:{home}/netvalve.sqlite3?mode=ro", uri=True) as store:
        approved = "SELECT count(*) FROM transactions WHERE type = 'SALE' AND state = 'APPROVED'"
        stored = store.execute(approved).fetchone()[0]
    if stored < counted:
        raise SystemExit(f"bench: {counted} sales were answered, {stored} are in the store")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _print(levels: list[Level]) -> None:
    print(
        "connections  sales/s     p50 ms    p99 ms  p99.9 ms    max ms"
        "  gateway us/sale  bank us/sale  gateway MiB  refused"
    )
    for each in levels:
        print(
            f"{each.connections:11d} {each.sales_per_s:8.0f} {each.p50_ms:10.2f} "
            f"{each.p99_ms:9.2f} {each.p999_ms:9.2f} {each.max_ms:9.2f} "
            f"{each.gateway_us_per_sale:16.0f} {each.bank_us_per_sale:13.0f} "
            f"{each.gateway_mib:12.1f} {each.refused:8d}"
        )


def _write(levels: list[Level], seconds: int) -> None:
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    content = {
        "machine": {
            "cpus": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
        },
        "seconds": seconds,
        "levels": [asdict(level) for level in levels],
    }
    name = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    (results / f"{name}.json").write_text(json.dumps(content, indent=2))


if __name__ == "__main__":
    raise SystemExit(main())
