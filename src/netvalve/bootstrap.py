"""The wiring: the one place that sees banks, storage, payments and the API at once."""

import asyncio
import gc
import os
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from netvalve.api.application import Application, build_application
from netvalve.api.server import ApiServer
from netvalve.api.services import random_trace_id
from netvalve.banks.iso8583.answers import Answer
from netvalve.banks.iso8583.link import Iso8583Bank
from netvalve.banks.links import BankLinks
from netvalve.config import Settings
from netvalve.domain.client import BankProfile
from netvalve.payments.endings import Endings
from netvalve.payments.expiry import Expiry
from netvalve.payments.forgetting import Forgetting
from netvalve.payments.gateway import Gateway, Timing
from netvalve.payments.idempotency import Idempotency
from netvalve.payments.lease import Lease
from netvalve.payments.observation import Observer
from netvalve.payments.patience import PatientStore
from netvalve.payments.pipeline import Pipeline
from netvalve.payments.planning import Planner
from netvalve.payments.ports import Clock
from netvalve.payments.reference import References
from netvalve.payments.replay import Replay
from netvalve.payments.store_and_forward import StoreAndForward
from netvalve.payments.take_over import TakeOver
from netvalve.storage.credentials import CredentialHasher
from netvalve.storage.field_digests import FieldDigests
from netvalve.storage.key_ring import KeyRing
from netvalve.storage.sqlite.seat import Seat
from netvalve.storage.sqlite.store import SqliteStore
from netvalve.storage.vault import Vault
from netvalve.telemetry.logs import configure_logs
from netvalve.telemetry.metrics import Metrics

_DAY_MS = 86_400_000
_LAST_WRITES_S = 5.0
"""How long the payments that lost their bank at the end have for their closing writes."""


class StoreBroke(Exception):
    """The store's writer has died under a running gateway, which has ended for it."""


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
    clock: Clock
    metrics: Metrics
    log: FilteringBoundLogger
    new_trace_id: Callable[[], str] = random_trace_id
    jitter: Callable[[], float] = random.random
    """From 0 to 1: spreads the attempts to reach a bank again."""
    node: str = f"{socket.gethostname()}-{os.getpid()}"


class Server(Protocol):
    """What takes requests to the application."""

    async def start(self) -> tuple[str, int]:
        """Listen; say on which host and port."""

    async def stop(self) -> None:
        """Take nothing new; return when what was taken has been answered."""


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


async def run_gateway(
    store: SqliteStore,
    ground: Ground,
    *,
    serving: Callable[[Application], Server],
    sandbox: bool,
    started: Callable[[RunningGateway], None],
    stop: asyncio.Event,
) -> None:
    """Run a gateway on a store until `stop` is set; answer first what it has taken."""
    async with _seated(ground, store) as (seat, lease):
        async with _payments(ground, store, seat, lease, sandbox=sandbox) as (gateway, links):
            server = serving(_application(ground, store, links, gateway, lease))
            started(RunningGateway(*await server.start()))
            await stop.wait()
            ground.log.info("gateway_stopping")
            await _finish(server, gateway, ground)
        left = await gateway.drain(_LAST_WRITES_S)
        ground.log.info("gateway_stopped", payments_left_open=left)


@asynccontextmanager
async def _seated(ground: Ground, store: SqliteStore) -> AsyncIterator[tuple[Seat, Lease]]:
    """A seat at the store, with a lease that is renewed until the gateway's last write."""
    lease_s = ground.settings.lease_s
    seat = await store.join(ground.node, lease_s)
    lease = Lease(seat.lease, lease_s=lease_s, clock=ground.clock, log=ground.log)
    await lease.renew()
    renewing = asyncio.create_task(lease.run(), name="lease")
    try:
        yield seat, lease
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        await lease.leave()


async def _finish(server: Server, gateway: Gateway, ground: Ground) -> None:
    """Take nothing new and see what was taken through; after the grace, answer what is known."""
    grace_s, clock = ground.settings.shutdown_grace_s, ground.clock
    end_s = clock.monotonic_s() + grace_s
    gateway.enquiries.hurry()
    stopping = asyncio.create_task(server.stop())
    await asyncio.wait({stopping}, timeout=grace_s)
    gateway.hurry()
    await stopping
    await gateway.drain(max(end_s - clock.monotonic_s(), 0))


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


@asynccontextmanager
async def _payments(
    ground: Ground, store: SqliteStore, seat: Seat, lease: Lease, *, sandbox: bool
) -> AsyncIterator[tuple[Gateway, BankLinks]]:
    """The gateway with its bank links up and its store-and-forward worker at work."""

    def hear(answer: Answer) -> None:
        worker.heard(answer.identity, answer.answered)

    links = BankLinks(partial(_bank, ground, hear, require_test_bank=sandbox))
    clock = ground.clock
    vault = Vault(ground.key_ring, today=lambda: clock.now_ms() // _DAY_MS)
    idempotency = Idempotency(
        store.records, FieldDigests(ground.key_ring), clock, ground.settings.idempotency_ms
    )
    references = References(store.records, store.configuration, vault)
    hold_day_ms = round(ground.settings.sandbox_hold_day_s * 1000) if sandbox else _DAY_MS
    planner = Planner(store.identifiers, vault, clock, hold_day_ms=hold_day_ms)
    replay = Replay(references, planner)
    patient = PatientStore(seat.journal, store.records, ground.log)
    observer = Observer(ground.metrics, ground.log)
    endings = Endings(
        forwards=seat.forwards,
        patient=patient,
        replay=replay,
        observer=observer,
        clock=clock,
        log=ground.log,
    )
    pipeline = Pipeline(
        journal=seat.journal,
        lease=lease,
        banks=links,
        clock=clock,
        patient=patient,
        endings=endings,
        observer=observer,
    )
    worker = StoreAndForward(
        forwards=seat.forwards,
        lease=lease,
        replay=replay,
        endings=endings,
        configuration=store.configuration,
        banks=links,
        clock=clock,
        answer_within_s=ground.settings.follow_up_deadline_s,
        log=ground.log,
    )
    take_over = TakeOver(
        orphans=seat.orphans, lease=lease, replay=replay, clock=clock, log=ground.log
    )
    gateway = _gateway(ground, store, pipeline, planner, references, idempotency)
    expiry = Expiry(
        expiring=store.expiring,
        gateway=gateway,
        configuration=store.configuration,
        banks=links,
        clock=clock,
        poll_s=ground.settings.expiry_poll_s,
        log=ground.log,
    )
    links.follow(store.configuration.directory.banks.values())
    background = (
        asyncio.create_task(take_over.run(), name="take over"),
        asyncio.create_task(worker.run(), name="store and forward"),
        asyncio.create_task(expiry.run(), name="expiry"),
        asyncio.create_task(
            Forgetting(store.keys, idempotency, ground.log).run(), name="forgetting"
        ),
        asyncio.create_task(_follow_directory(store, links, ground.settings.configuration_poll_s)),
    )
    try:
        yield gateway, links
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
        jitter=ground.jitter,
        on_unmatched=hear,
    )


def _gateway(
    ground: Ground,
    store: SqliteStore,
    pipeline: Pipeline,
    planner: Planner,
    references: References,
    idempotency: Idempotency,
) -> Gateway:
    settings = ground.settings
    return Gateway(
        pipeline=pipeline,
        planner=planner,
        records=store.records,
        references=references,
        configuration=store.configuration,
        idempotency=idempotency,
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
    ground: Ground, store: SqliteStore, links: BankLinks, gateway: Gateway, lease: Lease
) -> Application:
    return build_application(
        gateway=gateway,
        configuration=store.configuration,
        records=store.records,
        bank_readiness=links.readiness,
        holds_lease=lambda: lease.term is not None,
        digest=CredentialHasher(ground.key_ring.pepper).digest,
        metrics=ground.metrics,
        settings=ground.settings,
        clock=ground.clock,
        log=ground.log,
        new_trace_id=ground.new_trace_id,
    )


def _settle_garbage() -> None:
    """Take what start-up made out of the collector's sight, and let it run seldom.

    A full collection over a running gateway's objects holds every request up.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
