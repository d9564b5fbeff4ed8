"""The wiring: the one place that sees banks, storage, payments and the API at once."""

import asyncio
import gc
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from structlog.typing import FilteringBoundLogger

from netvalve.api.application import Application, build_application
from netvalve.api.server import ApiServer
from netvalve.banks.iso8583.answers import Answer
from netvalve.banks.iso8583.link import Iso8583Bank
from netvalve.banks.links import BankLinks
from netvalve.config import Settings
from netvalve.domain.client import BankProfile
from netvalve.payments.gateway import Gateway, Timing
from netvalve.payments.observation import Observer
from netvalve.payments.patience import PatientStore
from netvalve.payments.pipeline import Pipeline
from netvalve.payments.planning import Planner
from netvalve.payments.reference import References
from netvalve.payments.replay import Replay
from netvalve.payments.store_and_forward import StoreAndForward
from netvalve.payments.take_over import TakeOver
from netvalve.storage.credentials import CredentialHasher
from netvalve.storage.key_ring import KeyRing
from netvalve.storage.sqlite.store import SqliteStore
from netvalve.storage.vault import Vault
from netvalve.telemetry.logs import configure_logs
from netvalve.telemetry.metrics import Metrics

_DAY_MS = 86_400_000
_LAST_WRITES_S = 5.0
"""How long the payments that lost their bank at the end have for their closing writes."""


class SystemClock:
    """The machine's time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """The event loop's time."""
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A gateway that takes requests."""

    host: str
    port: int

    @property
    def base_url(self) -> str:
        """Where it is reached."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Ground:
    """What every part of one process stands on."""

    settings: Settings
    key_ring: KeyRing
    clock: SystemClock
    metrics: Metrics
    log: FilteringBoundLogger


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
    """
    log = configure_logs(settings, sandbox=sandbox)
    ground = Ground(settings, KeyRing.load(settings.keyring_path), SystemClock(), Metrics(), log)
    async with _store(ground) as store:
        async with _payments(ground, store, sandbox=sandbox) as (gateway, links):
            server = ApiServer(_application(ground, store, links, gateway), settings, log)
            host, port = await server.start()
            _settle_garbage()
            log.info("gateway_started", host=host, port=port, sandbox=sandbox)
            started(RunningGateway(host, port))
            await stop.wait()
            log.info("gateway_stopping")
            await _finish(server, gateway, settings.shutdown_grace_s)
        left = await gateway.drain(_LAST_WRITES_S)
        log.info("gateway_stopped", payments_left_open=left)


async def _finish(server: ApiServer, gateway: Gateway, grace_s: float) -> None:
    """Take nothing new and see what was taken through; after the grace, answer what is known."""
    end_s = time.monotonic() + grace_s
    stopping = asyncio.create_task(server.stop())
    await asyncio.wait({stopping}, timeout=grace_s)
    gateway.hurry()
    await stopping
    await gateway.drain(max(end_s - time.monotonic(), 0))


@asynccontextmanager
async def _store(ground: Ground) -> AsyncIterator[SqliteStore]:
    settings = ground.settings
    store = await SqliteStore.start(
        settings.database_url,
        node=f"{socket.gethostname()}-{os.getpid()}",
        clock=ground.clock,
        metrics=ground.metrics,
        batch_max=settings.journal_batch_max,
        waiting_max=settings.journal_waiting_max,
        read_connections=settings.read_connections,
        configuration_poll_s=settings.configuration_poll_s,
        export_max_s=settings.export_max_s,
    )
    try:
        yield store
    finally:
        await store.stop()


@asynccontextmanager
async def _payments(
    ground: Ground, store: SqliteStore, *, sandbox: bool
) -> AsyncIterator[tuple[Gateway, BankLinks]]:
    """The gateway with its bank links up and its store-and-forward worker at work."""

    def hear(answer: Answer) -> None:
        worker.heard(answer.identity, answer.answered)

    links = BankLinks(partial(_bank, ground, hear, require_test_bank=sandbox))
    clock = ground.clock
    vault = Vault(ground.key_ring, today=lambda: clock.now_ms() // _DAY_MS)
    references = References(store.records, store.configuration, vault)
    planner = Planner(store.identifiers, vault, clock)
    replay = Replay(references, planner)
    patient = PatientStore(store.journal, store.records, ground.log)
    observer = Observer(ground.metrics, ground.log)
    pipeline = Pipeline(
        journal=store.journal, banks=links, clock=clock, patient=patient, observer=observer
    )
    worker = StoreAndForward(
        forwards=store.forwards,
        patient=patient,
        replay=replay,
        configuration=store.configuration,
        banks=links,
        observer=observer,
        clock=clock,
        answer_within_s=ground.settings.follow_up_deadline_s,
        log=ground.log,
    )
    take_over = TakeOver(store.forwards, replay, clock, ground.log)
    links.follow(store.configuration.directory.banks.values())
    background = (
        asyncio.create_task(take_over.run(), name="take over"),
        asyncio.create_task(worker.run(), name="store and forward"),
        asyncio.create_task(_follow_directory(store, links, ground.settings.configuration_poll_s)),
    )
    try:
        yield _gateway(ground, store, pipeline, planner, references), links
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await links.stop()


async def _follow_directory(store: SqliteStore, links: BankLinks, poll_s: float) -> None:
    """Let the links come, move and go with the directory's banks."""
    version = store.configuration.directory.version
    while True:
        await asyncio.sleep(poll_s)
        directory = store.configuration.directory
        if directory.version != version:
            version = directory.version
            links.follow(directory.banks.values())


def _bank(
    ground: Ground,
    hear: Callable[[Answer], None],
    profile: BankProfile,
    *,
    require_test_bank: bool,
) -> Iso8583Bank:
    settings = ground.settings
    return Iso8583Bank(
        profile,
        acquirer_id=settings.acquirer_id,
        connections=settings.bank_connections,
        in_flight_max=settings.bank_in_flight_max,
        echo_s=settings.bank_echo_s,
        reconnect_max_s=settings.bank_reconnect_max_s,
        clock=ground.clock,
        metrics=ground.metrics,
        require_test_bank=require_test_bank,
        log=ground.log,
        on_unmatched=hear,
    )


def _gateway(
    ground: Ground,
    store: SqliteStore,
    pipeline: Pipeline,
    planner: Planner,
    references: References,
) -> Gateway:
    settings = ground.settings
    return Gateway(
        pipeline=pipeline,
        planner=planner,
        records=store.records,
        references=references,
        configuration=store.configuration,
        clock=ground.clock,
        timing=Timing(
            charge_deadline_s=settings.charge_deadline_s,
            follow_up_deadline_s=settings.follow_up_deadline_s,
            closing_grace_s=settings.closing_grace_s,
            turn_wait_s=settings.turn_wait_s,
        ),
        log=ground.log,
    )


def _application(
    ground: Ground, store: SqliteStore, links: BankLinks, gateway: Gateway
) -> Application:
    return build_application(
        gateway=gateway,
        configuration=store.configuration,
        records=store.records,
        bank_readiness=links.readiness,
        digest=CredentialHasher(ground.key_ring.pepper).digest,
        metrics=ground.metrics,
        settings=ground.settings,
        clock=ground.clock,
        log=ground.log,
    )


def _settle_garbage() -> None:
    """Take what start-up made out of the collector's sight, and let it run seldom.

    A full collection over a running gateway's objects holds every request up.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
