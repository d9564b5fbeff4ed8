"""The gateway as its faces see it: six operations and the enquiries."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from netvalve.domain.client import Client
from netvalve.domain.journal import OpeningRefusal, StoreUnavailable
from netvalve.domain.refusal import ChannelRefused, InvalidFields, Refusal
from netvalve.domain.transaction import TransactionType
from netvalve.payments.cancel import grant_cancel
from netvalve.payments.capture import grant_capture
from netvalve.payments.charge import refusal_of, select_account
from netvalve.payments.commands import ChargeCommand, FollowUpCommand, RebillCommand
from netvalve.payments.enquiries import Enquiries
from netvalve.payments.payment import Payment
from netvalve.payments.pipeline import Pipeline, Progress
from netvalve.payments.planning import Planner
from netvalve.payments.ports import Clock, Configuration, Records, TransactionOnOrder
from netvalve.payments.rebill import amount_of_rebill
from netvalve.payments.reference import Granted, Reference, References
from netvalve.payments.refund import grant_refund
from netvalve.payments.turns import Turns

PaymentAnswer = Refusal | InvalidFields | ChannelRefused | TransactionOnOrder

_TURN_POLL_S = 0.1
"""How often an order that another process, or a silent bank, holds is looked at again."""

_DUPLICATE = Refusal("GTW_2065")
_BUSY = Refusal("GTW_2049", "another operation of the order is in flight")
_NOT_FOUND = Refusal("GTW_2103")


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take, in seconds."""

    charge_deadline_s: float = 25.0
    follow_up_deadline_s: float = 12.0
    closing_grace_s: float = 2.0
    turn_wait_s: float = 3.0


class Gateway:
    """Takes commands, answers with a transaction or a refusal, and sees every payment through."""

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        planner: Planner,
        records: Records,
        references: References,
        configuration: Configuration,
        clock: Clock,
        timing: Timing,
        log: FilteringBoundLogger,
    ) -> None:
        self._pipeline, self._planner, self._records = pipeline, planner, records
        self._references, self._configuration, self._clock = references, configuration, clock
        self._timing, self._log = timing, log
        self._turns = Turns()
        self._running: set[asyncio.Task[PaymentAnswer]] = set()
        self._waiting: set[asyncio.Future[None]] = set()
        self.enquiries = Enquiries(records, configuration)

    async def charge(
        self, client: Client, command: ChargeCommand, *, trace_id: str, arrived_s: float
    ) -> PaymentAnswer:
        """Sale or authorize.

        Raises:
            StoreUnavailable: surely nothing was begun.
        """
        directory = self._configuration.directory
        account = select_account(directory, client.client_id, command.account, command.currency)
        if isinstance(account, Refusal):
            return account
        refused = refusal_of(command, account)
        if refused:
            return refused
        bank = directory.bank_of(account)

        async def work(progress: Progress, deadline_s: float) -> PaymentAnswer:
            payment = await self._planner.charge(command, account, bank, trace_id)
            return await self._begin(payment, deadline_s, progress)

        return await self._see_through(work, arrived_s + self._timing.charge_deadline_s)

    async def rebill(
        self, client: Client, command: RebillCommand, *, trace_id: str, arrived_s: float
    ) -> PaymentAnswer:
        """A charge of an earlier payment's card.

        Raises:
            StoreUnavailable: surely nothing was begun.
        """

        async def work(progress: Progress, deadline_s: float) -> PaymentAnswer:
            reference = await self._references.of(client.client_id, command.transaction_id)
            if reference is None:
                return Refusal("GTW_2000", "unknown parent")
            amount_minor = amount_of_rebill(command, reference)
            if not isinstance(amount_minor, int):
                return amount_minor
            payment = await self._planner.rebill(command, reference, amount_minor, trace_id)
            return await self._begin(payment, deadline_s, progress)

        return await self._see_through(work, arrived_s + self._timing.charge_deadline_s)

    async def follow_up(
        self, client: Client, command: FollowUpCommand, *, trace_id: str, arrived_s: float
    ) -> PaymentAnswer:
        """Capture, cancel or refund.

        A second operation of an order waits a little for the one in flight, then GTW_2049.

        Raises:
            StoreUnavailable: surely nothing was begun.
        """

        async def work(progress: Progress, deadline_s: float) -> PaymentAnswer:
            found = await self._records.transaction(client.client_id, command.transaction_id)
            if found is None:
                return _NOT_FOUND
            give_up_s = min(self._clock.monotonic_s() + self._timing.turn_wait_s, deadline_s)
            try:
                async with self._turns.take(
                    found[1].order_id, give_up_s - self._clock.monotonic_s()
                ):
                    while True:
                        answer = await self._attempt(
                            client, command, trace_id, deadline_s, progress
                        )
                        if answer is not _BUSY or self._clock.monotonic_s() >= give_up_s:
                            return answer
                        await asyncio.sleep(_TURN_POLL_S)
            except TimeoutError:
                return _BUSY

        return await self._see_through(work, arrived_s + self._timing.follow_up_deadline_s)

    def hurry(self) -> None:
        """Answer now who still waits, with what is known: the gateway is about to end."""
        for waiting in self._waiting:
            _wake(waiting)

    async def drain(self, wait_s: float) -> int:
        """Wait for the payments under way; how many are still open after `wait_s` seconds."""
        if self._running:
            await asyncio.wait(self._running, timeout=wait_s)
        return len(self._running)

    async def _attempt(
        self,
        client: Client,
        command: FollowUpCommand,
        trace_id: str,
        deadline_s: float,
        progress: Progress,
    ) -> PaymentAnswer:
        """One try to take the order's turn in the store; `_BUSY` while another holds it."""
        reference = await self._references.of(client.client_id, command.transaction_id)
        if reference is None:
            return _NOT_FOUND
        if reference.order.in_flight_id is not None:
            return _BUSY
        granted = _grant(command, reference)
        if not isinstance(granted, Granted):
            return granted
        payment = await self._planner.follow_up(command, reference, granted, trace_id)
        return await self._begin(payment, deadline_s, progress)

    async def _begin(
        self, payment: Payment, deadline_s: float, progress: Progress
    ) -> PaymentAnswer:
        match await self._pipeline.run(payment, deadline_s, progress):
            case OpeningRefusal.DUPLICATE_CLIENT_ORDER:
                return _DUPLICATE
            case OpeningRefusal.IN_FLIGHT | OpeningRefusal.GUARD:
                return _BUSY
            case answer:
                return answer

    async def _see_through(
        self,
        work: Callable[[Progress, float], Awaitable[PaymentAnswer]],
        deadline_s: float,
    ) -> PaymentAnswer:
        """Run a payment in a task of its own; answer when it ends or when time is up.

        Neither a disconnected client nor a cancelled request reaches the task.
        """
        progress = Progress()

        async def carried() -> PaymentAnswer:
            return await work(progress, deadline_s)

        task = asyncio.create_task(carried())
        self._running.add(task)
        task.add_done_callback(self._ended)
        await self._patiently(task, deadline_s + self._timing.closing_grace_s)
        if task.done():
            return task.result()
        payment = progress.opened
        if payment is None:
            progress.given_up = True
            raise StoreUnavailable("not begun before its deadline")
        return payment.transaction, payment.order

    async def _patiently(self, task: asyncio.Task[PaymentAnswer], until_s: float) -> None:
        """Wait until the task has ended, time is up, or nobody may wait any more."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = loop.create_future()
        task.add_done_callback(lambda _: _wake(waiting))
        timer = loop.call_later(until_s - self._clock.monotonic_s(), _wake, waiting)
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            timer.cancel()
            self._waiting.discard(waiting)

    def _ended(self, task: asyncio.Task[PaymentAnswer]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.warning("payment_task_failed", error=type(error).__name__)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _grant(command: FollowUpCommand, reference: Reference) -> Granted | Refusal | InvalidFields:
    match command.type:
        case TransactionType.CAPTURE:
            return grant_capture(command, reference)
        case TransactionType.REFUND:
            return grant_refund(command, reference)
        case _:
            return grant_cancel(reference)
