"""A gateway as a program: its store, its HTTP server, its end."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from socket import socket
from typing import Final

from netvalve.api.server import ApiServer
from netvalve.bootstrap.gateway import run_gateway
from netvalve.bootstrap.ground import Ground, RunningGateway, SystemClock
from netvalve.bootstrap.store import Store, start_store
from netvalve.config import Settings
from netvalve.storage.key_ring import KeyRing
from netvalve.telemetry.logs import configure_logs
from netvalve.telemetry.metrics import Metrics

_THREAD_TURN_S: Final = 0.001
"""How long payments wait for a thread that runs Python, such as an export's, to let them in.

Python's own five milliseconds are paid several times by each payment beside an export.
"""


class StoreBroke(Exception):
    """The store's writer has died under a running gateway, which has ended for it."""


async def serve(
    settings: Settings,
    *,
    sandbox: bool,
    started: Callable[[RunningGateway], None],
    stop: asyncio.Event,
    listener: socket | None = None,
    metrics: Metrics | None = None,
) -> None:
    """Run a gateway until `stop` is set; answer first what it has taken.

    A sandbox talks to test banks alone. One gateway of several on a port is given its listener and
    the metrics of all.

    Raises:
        KeyRingError, StoreInUse, DatabaseUrlError, OSError: it cannot start, and why.
        StoreBroke: nothing can be written any more; the next start takes over.
    """
    log = configure_logs(settings, sandbox=sandbox, shared=listener is not None)
    metrics = metrics or Metrics()
    ground = Ground(settings, KeyRing.load(settings.keyring_path), SystemClock(), metrics, log)

    def listening(running: RunningGateway) -> None:
        _settle_garbage()
        sys.setswitchinterval(_THREAD_TURN_S)
        metrics.listening()
        log.info("gateway_started", host=running.host, port=running.port, sandbox=sandbox)
        started(running)

    def give_up() -> None:
        log.error("store_writer_died")
        broke.set()
        stop.set()

    broke = asyncio.Event()
    async with _store(ground, on_death=give_up) as store:
        await run_gateway(
            store,
            ground,
            serving=lambda application: ApiServer(application, settings, log, listener),
            sandbox=sandbox,
            started=listening,
            stop=stop,
        )
    if broke.is_set():
        raise StoreBroke("nothing can be written any more; start the gateway again")


@asynccontextmanager
async def _store(ground: Ground, on_death: Callable[[], None]) -> AsyncIterator[Store]:
    store = await start_store(ground, on_death)
    try:
        yield store
    finally:
        await store.stop()


def _settle_garbage() -> None:
    """Take what start-up made out of the collector's sight, and let it run seldom.

    A full collection over a running gateway's objects holds every request up.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
