"""Keeps several workers on one port, from their start to their end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from netvalve.api.port import SharedPort
from netvalve.config import Settings
from netvalve.telemetry.logs import configure_logs
from netvalve.telemetry.shared_metrics import metrics_folder
from netvalve.workers.slot import Slot, Workplace

_AFTER_GRACE_S: Final = 10.0
"""For a worker's last answers and last writes, before it is killed."""


async def supervise(
    settings: Settings,
    *,
    command: Sequence[str],
    started: Callable[[str, int], None],
    stop: asyncio.Event,
) -> bool:
    """Run the workers of the settings until `stop` is set; whether each finished what it had taken.

    `started` hears the host and the port once all of them take requests. Each has its own listener
    at the port, which the kernel spreads connections over; it is held here, so that those waiting
    for a worker that dies wait for the next one.

    Raises:
        WorkerFailed: one could not start; the others have been ended.
        OSError: the address cannot be had.
    """
    log = configure_logs(settings, shared=True)
    with SharedPort(settings.host, settings.port) as port, metrics_folder() as metrics:
        workplace = Workplace(command, settings, port, metrics, log)
        slots = [Slot(number, workplace) for number in range(settings.workers)]
        try:
            if await _done_before(stop, (slot.fill() for slot in slots)):
                started(port.host, port.port)
                await _done_before(stop, (slot.keep() for slot in slots))
        finally:
            log.info("workers_stopping")
            within_s = settings.shutdown_grace_s + _AFTER_GRACE_S
            for slot in slots:
                slot.close()
            finished = await asyncio.gather(*(slot.clear(within_s) for slot in slots))
    return all(finished)


async def _done_before(stop: asyncio.Event, work: Iterable[Awaitable[Any]]) -> bool:
    """Whether all of it was done before `stop` was set; what is left then is cancelled.

    Raises what the first of it raises.
    """
    working: asyncio.Future[Any] = asyncio.gather(*work)
    stopping: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
        return working.done()
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
