"""Payments under way: each in a task of its own that nobody who waits for it can stop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from structlog.typing import FilteringBoundLogger

from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.payments.pipeline import Progress
from netvalve.payments.ports import Clock, TransactionOnOrder

Told = TypeVar("Told")


class UnderWay(Generic[Told]):
    """Sees every payment through; whoever asked for it waits only as long as it may take."""

    def __init__(self, clock: Clock, log: FilteringBoundLogger, grace_s: float) -> None:
        """`grace_s` is how long past its deadline an answer waits for its outcome."""
        self._clock, self._log, self._grace_s = clock, log, grace_s
        self._running: dict[asyncio.Task[Told], None] = {}
        self._waiting: dict[asyncio.Future[None], None] = {}

    async def see_through(
        self, work: Callable[[Progress], Awaitable[Told]], deadline_s: float
    ) -> Told | TransactionOnOrder:
        """Run a payment; answer when it ends or when time is up.

        Neither a disconnected client nor a cancelled request reaches its task.

        Raises:
            StoreUnavailable: surely nothing was begun.
            StoreUncertain: nobody knows whether anything was; the store does not say.
        """
        progress = Progress()

        async def carried() -> Told:
            return await work(progress)

        task = asyncio.create_task(carried())
        self._running[task] = None
        task.add_done_callback(self._ended)
        await self._patiently(task, deadline_s + self._grace_s)
        if task.done():
            return task.result()
        payment = progress.opened
        if payment is None:
            progress.given_up = True
            if progress.in_doubt:
                raise StoreUncertain("its opening was being written at its deadline")
            raise StoreUnavailable("not begun before its deadline")
        return payment.transaction, payment.order

    def hurry(self) -> None:
        """Answer now who still waits, with what is known: the gateway is about to end."""
        for waiting in self._waiting:
            _wake(waiting)

    async def drain(self, wait_s: float) -> int:
        """Wait for the payments under way; how many are still open after `wait_s` seconds."""
        if self._running:
            await asyncio.wait(self._running, timeout=wait_s)
        return len(self._running)

    async def _patiently(self, task: asyncio.Task[Told], until_s: float) -> None:
        """Wait until the task has ended, time is up, or nobody may wait any more."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = loop.create_future()
        task.add_done_callback(lambda _: _wake(waiting))
        timer = loop.call_later(until_s - self._clock.monotonic_s(), _wake, waiting)
        self._waiting[waiting] = None
        try:
            await waiting
        finally:
            timer.cancel()
            del self._waiting[waiting]

    def _ended(self, task: asyncio.Task[Told]) -> None:
        del self._running[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.warning("payment_task_failed", error=type(error).__name__)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
