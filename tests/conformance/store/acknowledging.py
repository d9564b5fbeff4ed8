"""A process that opens payments for ever and prints each order that the store has acknowledged."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from conformance.store.samples import NOW_MS, payment
from conformance.store.seated import StillClock, started

SOURCES = (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))
ENOUGH = 300


def acknowledged_until(harm: Callable[[subprocess.Popen[str]], object], url: str) -> list[int]:
    """Every order that such a process was told is durable, before a harm and in spite of it."""
    with subprocess.Popen(
        [sys.executable, "-m", "conformance.store.acknowledging", url],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, SOURCES))},
        text=True,
    ) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(ENOUGH)]
        harm(process)
        rest = process.stdout.read().splitlines(keepends=True)
        return acknowledged + [int(line) for line in rest if line.endswith("\n")]


async def acknowledge(database_url: str) -> None:
    """Ten callers at once, so that the commits are of groups."""
    journal = (await started(database_url, StillClock(NOW_MS), "killed")).journal

    async def call() -> None:
        while True:
            one = payment()
            await journal.open(one.opening)
            sys.stdout.write(f"{one.order.order_id}\n")
            sys.stdout.flush()

    await asyncio.gather(*(call() for _ in range(10)))


if __name__ == "__main__":
    asyncio.run(acknowledge(sys.argv[1]))
