"""Ceiling (b), the journal alone: an opening and a closing a payment, no HTTP and no bank.

    python -m bench.ceilings.journal DATABASE_URL

The gateway's own store on a database of its own, commits as durable as ever; each order
`{"at_once": 64, "seconds": 3}` is a closed loop.
"""

import asyncio
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import structlog

from bench.ceilings.closed_loop import closed_loop
from bench.orders import Order, say, take_orders
from bench.samples import sale, sealed_card
from netvalve.bootstrap.ground import Ground, SystemClock
from netvalve.bootstrap.store import start_store
from netvalve.cli.event_loop import run_until_done
from netvalve.config import Settings
from netvalve.storage.key_ring import KeyRing
from netvalve.storage.migrate import migrate
from netvalve.telemetry.metrics import Metrics

_LEASE_S = 3_600.0
"""Nobody else is there to take over."""


async def _run(database_url: str, home: Path) -> None:
    ground = Ground(
        Settings(home=home, database=database_url),
        KeyRing.generate(),
        SystemClock(),
        Metrics(),
        structlog.get_logger(),
    )
    await asyncio.to_thread(migrate, database_url)
    store = await start_store(ground)
    journal = (await store.join("bench", _LEASE_S)).journal
    numbers, clock, card = store.identifiers, ground.clock, sealed_card()

    async def pay(_number: int) -> None:
        order_id, transaction_id = await numbers.order_id(), await numbers.transaction_id()
        own_card = replace(card, card_id=await numbers.card_id())
        payment = sale(order_id, transaction_id, clock.now_ms(), own_card)
        refusal = await journal.open(payment.opening, lambda: True)
        if refusal is not None or not await journal.close(payment.closing):
            raise RuntimeError(f"order {order_id} was not written: {refusal}")

    async def obey(order: Order) -> Order:
        return await closed_loop(pay, **order)

    say({"ready": True})
    await take_orders(obey)
    await store.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="netvalve-bench-") as folder:
        run_until_done(_run(sys.argv[1], Path(folder)))
