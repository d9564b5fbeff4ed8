"""What `bench/reads.py` asks of a gateway of its own: parsed, formed and sent."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from netvalve.cli.sandbox.enrolment import prepare_store
from netvalve.cli.sandbox.merchant import sandbox_merchant
from netvalve.config import Settings
from stores import change

FORMS: Final = ("text/csv", "application/x-ndjson")
_DAY_MS: Final = 86_400_000
_EXPORTED_DAYS: Final = 6
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Exported:
    """One export, until its last byte."""

    database: str
    form: str
    rows: int
    mib: float
    seconds: float
    rows_per_s: int
    resident_before_mib: float
    resident_at_most_mib: float


@dataclass(frozen=True, slots=True)
class Served:
    """A gateway on a filled store, and a merchant who asks it."""

    pid: int
    client: httpx.Client

    def took_ms(self, path: str, runs: int) -> tuple[list[float], Any]:
        """Milliseconds of each run, after a first one that does not count; and what it said."""
        took_ms, said = [], None
        for _ in range(runs + 1):
            began = time.perf_counter()
            said = self.client.get(path).raise_for_status()
            took_ms.append((time.perf_counter() - began) * 1000)
        return took_ms[1:], said.json() if said is not None else None


@contextmanager
def served(url: str) -> Iterator[Served]:
    """`netvalve serve` on a filled store, whose first client is the sandbox's merchant."""
    with tempfile.TemporaryDirectory(prefix="netvalve-reads-") as folder:
        home = Path(folder)
        change(url, "DELETE FROM api_keys")  # those of an earlier run, with another key ring
        merchant = sandbox_merchant("127.0.0.1", 1)
        prepare_store(Settings(home=home, database=url), merchant)
        headers = {
            "netvalve-client-id": merchant.client.netvalve_client_id,
            "netvalve-api-key": merchant.credentials.api_key,
        }
        with (
            _running(home, url) as (pid, base_url),
            httpx.Client(headers=headers, base_url=base_url, timeout=60) as client,
        ):
            yield Served(pid, client)


@contextmanager
def _running(home: Path, url: str) -> Iterator[tuple[int, str]]:
    own = {name: each for name, each in os.environ.items() if not name.startswith("NETVALVE_")}
    settings = {"NETVALVE_HOME": str(home), "NETVALVE_DATABASE": url, "NETVALVE_PORT": "0"}
    log = home / "gateway.log"
    process = subprocess.Popen(
        [sys.executable, "-m", "netvalve.cli", "serve", "--json"],
        env={**own, **settings, "NETVALVE_LOG_FILE": str(log)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        if process.stdout is None or not (line := process.stdout.readline()):
            raise SystemExit(f"bench: netvalve serve did not start\n{log.read_text()}")
        yield process.pid, json.loads(line)["base_url"]
    finally:
        process.terminate()
        process.wait(60)


def exports(database: str, asked: Served, end_ms: int) -> Iterator[Exported]:
    """Some days of the big client, in each form that is streamed."""
    first_s = (end_ms - _EXPORTED_DAYS * _DAY_MS) // 1000
    since = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(first_s))
    for form in FORMS:
        yield _exported(database, asked, form, since)


def _exported(database: str, asked: Served, form: str, since: str) -> Exported:
    resident = [_resident_mib(asked.pid)]
    seen = lines = 0
    began = time.perf_counter()
    with asked.client.stream(
        "GET", "/export", params={"fromDateTime": since}, headers={"accept": form}
    ) as stream:
        stream.raise_for_status()
        for chunk in stream.iter_raw(_CHUNK):
            lines += chunk.count(b"\n")
            seen += len(chunk)
            resident.append(_resident_mib(asked.pid))
    took_s = time.perf_counter() - began
    rows = lines - (form == "text/csv")  # its first line names the columns
    before, most = round(resident[0], 1), round(max(resident), 1)
    mib = round(seen / 2**20, 1)
    return Exported(database, form, rows, mib, round(took_s, 1), round(rows / took_s), before, most)


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def figures(took_ms: list[float]) -> tuple[float, float, float]:
    """Best, median, worst."""
    best, worst = min(took_ms), max(took_ms)
    return round(best, 1), round(statistics.median(took_ms), 1), round(worst, 1)
