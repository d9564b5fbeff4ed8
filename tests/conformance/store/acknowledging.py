"""A process that opens payments for ever and prints each order that the store has acknowledged."""

import asyncio
import sys

from conformance.store.conftest import StillClock
from conformance.store.samples import payment
from netvalve.storage.sqlite.store import SqliteStore
from netvalve.telemetry.metrics import Metrics


async def acknowledge(database_url: str) -> None:
    """Ten callers at once, so that the commits are of groups."""
    store = await SqliteStore.start(database_url, clock=StillClock(), metrics=Metrics())
    journal = (await store.join("killed", 10)).journal

    async def call() -> None:
        while True:
            one = payment()
            await journal.open(one.opening)
            sys.stdout.write(f"{one.order.order_id}\n")
            sys.stdout.flush()

    await asyncio.gather(*(call() for _ in range(10)))


if __name__ == "__main__":
    asyncio.run(acknowledge(sys.argv[1]))
