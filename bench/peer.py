"""A peer on the same work: localstripe, a charge of a known card a request, the same load.

It is a stand-in for tests and says so itself: no bank, no vault, nothing durable. As it comes it
pickles its whole store into /tmp/localstripe.pickle (without fsync) several times a charge, so it
slows down with each of them; the second way keeps that from it.
"""

import json
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from bench.load.wrk import closed
from bench.machine import cpu_s, resident_mib
from bench.row import Part, Row

_START_S: Final = 20.0
_AS_IT_COMES: Final = "from localstripe.server import start; start()"
_IN_MEMORY: Final = (
    "from localstripe.resources import Store; Store.dump_to_disk = lambda self: None; "
    + _AS_IT_COMES
)
WAYS: Final = {
    "localstripe": (_AS_IT_COMES, "all in memory, pickled to a file without fsync; no bank"),
    "localstripe, no file": (_IN_MEMORY, "all in memory alone; no bank"),
}
_CARD: Final = {
    "type": "card",
    "card[number]": "4242424242424242",
    "card[exp_month]": "12",
    "card[exp_year]": "2030",
    "card[cvc]": "123",
}


def peer_rows(home: Path, connections: int, seconds: float) -> Iterator[Row]:
    """A line for each way of running it."""
    for name, (program, note) in WAYS.items():
        with _served(program, home) as (base_url, pid):
            method = _payment_method(base_url)
            before = cpu_s([pid])
            seen = closed("charge.lua", base_url, connections, seconds, method)
            yield Row(
                Part.PEER,
                "charge",
                name,
                connections,
                per_s=seen.per_s,
                p50_ms=seen.p50_ms,
                p99_ms=seen.p99_ms,
                p999_ms=seen.p999_ms,
                max_ms=seen.max_ms,
                gateway_us=(cpu_s([pid]) - before) / max(seen.done, 1) * 1e6,
                gateway_mib=resident_mib(pid),
                failed=seen.failed,
                note=note,
            )


@contextmanager
def _served(program: str, home: Path) -> Iterator[tuple[str, int]]:
    port = _free_port()
    with (home / "localstripe.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", program, "--from-scratch", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _await(port, process)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.kill()
        process.wait()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    end_s = time.monotonic() + _START_S
    while time.monotonic() < end_s and process.poll() is None:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("bench: localstripe did not start")


def _payment_method(base_url: str) -> str:
    request = urllib.request.Request(
        f"{base_url}/v1/payment_methods",
        urllib.parse.urlencode(_CARD).encode(),
        {"authorization": "Bearer sk_test_12345"},
    )
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["id"])


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
