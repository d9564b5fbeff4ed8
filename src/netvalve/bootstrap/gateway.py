"""One gateway's run: it takes its seat at the store, works, and ends in good order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from netvalve.api.application import Application, build_application
from netvalve.bootstrap.ground import Ground, RunningGateway
from netvalve.bootstrap.parts import Parts
from netvalve.bootstrap.store import Seat, Store
from netvalve.payments.gateway import Gateway
from netvalve.payments.lease import Lease
from netvalve.payments.rate_limits import RateLimits
from netvalve.storage.credentials import CredentialHasher

_LAST_WRITES_S = 5.0
"""How long the payments that lost their bank at the end have for their closing writes."""


class Server(Protocol):
    """What takes requests to the application."""

    async def start(self) -> tuple[str, int]:
        """Listen; say on which host and port."""

    async def stop(self) -> None:
        """Take nothing new; return when what was taken has been answered."""


async def run_gateway(
    store: Store,
    ground: Ground,
    *,
    serving: Callable[[Application], Server],
    sandbox: bool,
    started: Callable[[RunningGateway], None],
    stop: asyncio.Event,
) -> None:
    """Run a gateway on a store until `stop` is set; answer first what it has taken."""
    async with _seated(ground, store) as (seat, lease):
        parts = Parts(ground, store, seat, lease, sandbox=sandbox)
        gateway = parts.gateway
        async with _at_work(parts):
            server = serving(_application(ground, store, parts))
            started(RunningGateway(*await server.start()))
            await stop.wait()
            ground.log.info("gateway_stopping")
            await _finish(server, gateway, ground)
        left = await gateway.drain(_LAST_WRITES_S)
        ground.log.info("gateway_stopped", payments_left_open=left)


@asynccontextmanager
async def _seated(ground: Ground, store: Store) -> AsyncIterator[tuple[Seat, Lease]]:
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


@asynccontextmanager
async def _at_work(parts: Parts) -> AsyncIterator[None]:
    """The bank links up and the workers at work."""
    parts.links.follow(parts.configuration.directory.banks.values())
    tasks = [asyncio.create_task(run(), name=name) for name, run in parts.workers.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await parts.links.stop()


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


def _application(ground: Ground, store: Store, parts: Parts) -> Application:
    return build_application(
        gateway=parts.gateway,
        configuration=store.configuration,
        limits=RateLimits(store.allowances, ground.clock, ground.metrics, ground.log),
        records=store.records,
        bank_readiness=parts.links.readiness,
        holds_lease=lambda: parts.lease.term is not None,
        digest=CredentialHasher(ground.key_ring.pepper).digest,
        metrics=ground.metrics,
        settings=ground.settings,
        clock=ground.clock,
        log=ground.log,
        new_trace_id=ground.new_trace_id,
    )
