"""A gateway as a program: its store, its HTTP server, its end."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from netvalve.api.server import ApiServer
from netvalve.bootstrap.gateway import run_gateway
from netvalve.bootstrap.ground import Ground, RunningGateway, SystemClock
from netvalve.config import Settings
from netvalve.storage.key_ring import KeyRing
from netvalve.storage.sqlite.store import SqliteStore
from netvalve.telemetry.logs import configure_logs
from netvalve.telemetry.metrics import Metrics


class StoreBroke(Exception):
    """The store's writer has died under a running gateway, which has ended for it."""


async def serve(
    settings: Settings,
    *,
    sandbox: bool,
    started: Callable[[RunningGateway], None],
    stop: asyncio.Event,
) -> None:
    """Run a gateway until `stop` is set; answer first what it has taken.

    A sandbox talks to test banks alone.

    Raises:
        KeyRingError, StoreInUse, DatabaseUrlError, OSError: it cannot start, and why.
        StoreBroke: nothing can be written any more; the next start takes over.
    """
    log = configure_logs(settings, sandbox=sandbox)
    ground = Ground(settings, KeyRing.load(settings.keyring_path), SystemClock(), Metrics(), log)

    def listening(running: RunningGateway) -> None:
        _settle_garbage()
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
            serving=lambda application: ApiServer(application, settings, log),
            sandbox=sandbox,
            started=listening,
            stop=stop,
        )
    if broke.is_set():
        raise StoreBroke("nothing can be written any more; start the gateway again")


@asynccontextmanager
async def _store(ground: Ground, on_death: Callable[[], None]) -> AsyncIterator[SqliteStore]:
    settings = ground.settings
    store = await SqliteStore.start(
        settings.database_url,
        clock=ground.clock,
        metrics=ground.metrics,
        batch_max=settings.journal_batch_max,
        waiting_max=settings.journal_waiting_max,
        read_connections=settings.read_connections,
        configuration_poll_s=settings.configuration_poll_s,
        export_max_s=settings.export_max_s,
        on_death=on_death,
    )
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
