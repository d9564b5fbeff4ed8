"""Sales per second on each store, with one worker and with two, commits durable everywhere.

    make bench [BENCH="--seconds 10 --connections 1,16,64,256 --stations sqlite-1,postgresql-2"]

Starts a gateway of its own on each store, with a test bank beside it, all in fresh folders; drives
them in turn with wrk at each number of connections, so that their ratio holds on a noisy machine,
and prints one table; writes the same as JSON to bench/results/. Every sale goes over HTTP with an
API key, is validated whole, sealed in the vault, committed before it leaves for the bank and
committed again before it is answered; the bank commits its own book before it answers. At the end
`netvalve verify` goes through each store, and every sale that was counted must be in it.
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
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import text

from netvalve.storage.snapshot import snapshot_of
from netvalve.storage.verification.verification import verify
from station import Station, station

HERE = Path(__file__).parent
STATIONS = {
    "sqlite-1": ("SQLite", 1),
    "postgresql-1": ("PostgreSQL", 1),
    "postgresql-2": ("PostgreSQL", 2),
}
_START_S = 30.0


@dataclass(frozen=True, slots=True)
class Level:
    """What one number of connections gave."""

    station: str
    connections: int
    sales: int
    refused: int
    sales_per_s: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    gateway_us_per_sale: float
    """CPU time of the gateway's processes, user and system."""
    store_us_per_sale: float
    """The same of PostgreSQL's; SQLite works within the gateway's."""
    bank_us_per_sale: float
    gateway_mib: float
    """Resident memory of the gateway's largest process after the run."""


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
        ExitStack() as running,
    ):
        stations = [
            running.enter_context(station(*STATIONS[name], Path(home) / name))
            for name in options.stations
        ]
        for each in stations:
            measured(each, 16, 2)  # warm-up, not counted
        levels = [
            measured(each, connections, options.seconds)
            for connections in options.connections
            for each in stations
        ]
        for each in stations:
            _prove(each, sum(level.sales for level in levels if level.station == each.name))
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
    parser.add_argument(
        "--stations",
        type=lambda text: text.split(","),
        default=list(STATIONS),
        help=f"of {', '.join(STATIONS)}",
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


def measured(on: Station, connections: int, seconds: int) -> Level:
    """Sales for so many seconds over so many connections."""
    return _level(
        on.name,
        {"base_url": on.base_url, "client_id": on.client_id, "api_key": on.api_key},
        (on.gateway_pids, on.store_pids, (on.bank_pid,)),
        connections,
        seconds,
    )


def level_of(running: Running, connections: int, seconds: int) -> Level:
    """The same of a sandbox."""
    pids = ((running.gateway_pid,), (), (running.bank_pid,))
    return _level("sandbox", running.facts, pids, connections, seconds)


def _level(
    name: str,
    facts: Mapping[str, str],
    pids: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]],
    connections: int,
    seconds: int,
) -> Level:
    before = [sum(map(_cpu_s, each)) for each in pids]
    result = _wrk(facts, connections, seconds)
    sales = max(int(result["approved"]), 1)
    spent = [
        (sum(map(_cpu_s, each)) - began) / sales * 1e6
        for each, began in zip(pids, before, strict=True)
    ]
    return Level(
        station=name,
        connections=connections,
        sales=int(result["approved"]),
        refused=int(result["refused"]) + int(result["socket_errors"]),
        sales_per_s=result["approved"] / result["seconds"],
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        p999_ms=result["p999_ms"],
        max_ms=result["max_ms"],
        gateway_us_per_sale=spent[0],
        store_us_per_sale=spent[1],
        bank_us_per_sale=spent[2],
        gateway_mib=max(map(resident_mib, pids[0])),
    )


def _wrk(facts: Mapping[str, str], connections: int, seconds: int) -> dict[str, float]:
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


def _prove(on: Station, counted: int) -> None:
    """Every sale that was counted must be in the store, and the store must agree with itself."""
    approved = text("SELECT count(*) FROM transactions WHERE type = 'SALE' AND state = 'APPROVED'")
    with snapshot_of(on.database_url) as connection:
        stored = connection.execute(approved).scalar_one()
    if stored < counted:
        raise SystemExit(f"bench: {counted} sales were answered, {stored} are in {on.name}")
    if broken := verify(on.database_url, first=1).broken:
        raise SystemExit(f"bench: {broken} rules are broken in {on.name}")


def _cpu_s(pid: int) -> float:
    """A process that has ended counts nothing more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _print(levels: list[Level]) -> None:
    print(
        "station                connections  sales/s     p50 ms    p99 ms  p99.9 ms    max ms"
        "  gateway us/sale  store us/sale  bank us/sale  gateway MiB  refused"
    )
    for each in levels:
        print(
            f"{each.station:22s} {each.connections:11d} {each.sales_per_s:8.0f} "
            f"{each.p50_ms:10.2f} {each.p99_ms:9.2f} {each.p999_ms:9.2f} {each.max_ms:9.2f} "
            f"{each.gateway_us_per_sale:16.0f} {each.store_us_per_sale:14.0f} "
            f"{each.bank_us_per_sale:13.0f} {each.gateway_mib:12.1f} {each.refused:8d}"
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
