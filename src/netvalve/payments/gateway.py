"""The gateway as its faces see it: six operations and the enquiries."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace

from structlog.typing import FilteringBoundLogger

from netvalve.domain.client import Client
from netvalve.domain.journal import KeyedRequest, OpeningRefusal, StoreUnavailable
from netvalve.domain.refusal import ChannelRefused, InvalidFields, Refusal
from netvalve.domain.transaction import TransactionType
from netvalve.payments.cancel import grant_cancel
from netvalve.payments.capture import grant_capture
from netvalve.payments.charge import refusal_of, select_account
from netvalve.payments.commands import ChargeCommand, FollowUpCommand, RebillCommand
from netvalve.payments.enquiries import Enquiries
from netvalve.payments.idempotency import Idempotency, KeyBusy
from netvalve.payments.payment import Payment
from netvalve.payments.pipeline import Pipeline, Progress
from netvalve.payments.planning import Planner
from netvalve.payments.ports import Clock, Configuration, Records, TransactionOnOrder
from netvalve.payments.rebill import amount_of_rebill
from netvalve.payments.reference import Granted, Reference, References
from netvalve.payments.refund import grant_refund
from netvalve.payments.turns import Turns
from netvalve.payments.under_way import UnderWay

PaymentAnswer = Refusal | InvalidFields | ChannelRefused | KeyBusy | TransactionOnOrder

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


@dataclass(frozen=True, slots=True)
class _Request:
    """Whose a request is, and under which names."""

    client: Client
    trace_id: str
    keyed: KeyedRequest | None


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
        idempotency: Idempotency,
        clock: Clock,
        timing: Timing,
        log: FilteringBoundLogger,
    ) -> None:
        self._pipeline, self._planner, self._records = pipeline, planner, records
        self._references, self._configuration, self._clock = references, configuration, clock
        self._timing = timing
        self._turns = Turns()
        self._under_way = UnderWay[PaymentAnswer](clock, log, timing.closing_grace_s)
        self.idempotency = idempotency
        self.enquiries = Enquiries(records, configuration, idempotency)

    async def charge(
        self,
        client: Client,
        command: ChargeCommand,
        *,
        trace_id: str,
        arrived_s: float,
        keyed: KeyedRequest | None = None,
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
        bank, deadline_s = directory.bank_of(account), arrived_s + self._timing.charge_deadline_s

        async def work(progress: Progress) -> PaymentAnswer:
            payment = await self._planner.charge(command, account, bank, trace_id)
            return await self._begin(payment, keyed, deadline_s, progress)

        return await self._under_way.see_through(work, deadline_s)

    async def rebill(
        self,
        client: Client,
        command: RebillCommand,
        *,
        trace_id: str,
        arrived_s: float,
        keyed: KeyedRequest | None = None,
    ) -> PaymentAnswer:
        """A charge of an earlier payment's card.

        Raises:
            StoreUnavailable: surely nothing was begun.
        """
        deadline_s = arrived_s + self._timing.charge_deadline_s

        async def work(progress: Progress) -> PaymentAnswer:
            reference = await self._references.of(client.client_id, command.transaction_id)
            if reference is None:
                return Refusal("GTW_2000", "unknown parent")
            amount_minor = amount_of_rebill(command, reference)
            if not isinstance(amount_minor, int):
                return amount_minor
            payment = await self._planner.rebill(command, reference, amount_minor, trace_id)
            return await self._begin(payment, keyed, deadline_s, progress)

        return await self._under_way.see_through(work, deadline_s)

    async def follow_up(
        self,
        client: Client,
        command: FollowUpCommand,
        *,
        trace_id: str,
        arrived_s: float,
        keyed: KeyedRequest | None = None,
    ) -> PaymentAnswer:
        """Capture, cancel or refund.

        A second operation of an order waits a little for the one in flight, then GTW_2049.

        Raises:
            StoreUnavailable: surely nothing was begun.
        """
        request = _Request(client, trace_id, keyed)
        deadline_s = arrived_s + self._timing.follow_up_deadline_s

        async def work(progress: Progress) -> PaymentAnswer:
            found = await self._records.transaction(client.client_id, command.transaction_id)
            if found is None:
                return _NOT_FOUND
            give_up_s = min(self._clock.monotonic_s() + self._timing.turn_wait_s, deadline_s)
            with suppress(TimeoutError):
                async with self._turns.take(
                    found[1].order_id, give_up_s - self._clock.monotonic_s()
                ):
                    while True:
                        answer = await self._attempt(command, request, deadline_s, progress)
                        if answer is not _BUSY:
                            return answer
                        if self._clock.monotonic_s() >= give_up_s:
                            break
                        await asyncio.sleep(_TURN_POLL_S)
            return await self._without_turn(command, client)

        return await self._under_way.see_through(work, deadline_s)

    def hurry(self) -> None:
        """Answer now who still waits, with what is known: the gateway is about to end."""
        self._under_way.hurry()

    async def drain(self, wait_s: float) -> int:
        """Wait for the payments under way; how many are still open after `wait_s` seconds."""
        return await self._under_way.drain(wait_s)

    async def _attempt(
        self, command: FollowUpCommand, request: _Request, deadline_s: float, progress: Progress
    ) -> PaymentAnswer:
        """One try to take the order's turn in the store; `_BUSY` while another holds it."""
        client_id, trace_id = request.client.client_id, request.trace_id
        reference = await self._references.of(client_id, command.transaction_id)
        if reference is None:
            return _NOT_FOUND
        if reference.order.in_flight_id is not None:
            return _lasting_refusal(command, reference) or _BUSY
        granted = _grant(command, reference)
        if not isinstance(granted, Granted):
            return granted
        payment = await self._planner.follow_up(command, reference, granted, trace_id)
        return await self._begin(payment, request.keyed, deadline_s, progress)

    async def _without_turn(self, command: FollowUpCommand, client: Client) -> PaymentAnswer:
        """What is told to who had no turn: what the others made of the order, else `_BUSY`."""
        reference = await self._references.of(client.client_id, command.transaction_id)
        if reference is None:
            return _NOT_FOUND
        return _lasting_refusal(command, reference) or _BUSY

    async def _begin(
        self, payment: Payment, keyed: KeyedRequest | None, deadline_s: float, progress: Progress
    ) -> PaymentAnswer:
        if keyed is not None:
            payment = self.idempotency.taken(payment, keyed)
        match await self._pipeline.run(payment, deadline_s, progress):
            case OpeningRefusal.DUPLICATE_CLIENT_ORDER:
                return _DUPLICATE
            case OpeningRefusal.DUPLICATE_KEY:
                return KeyBusy()
            case OpeningRefusal.WITHDRAWN:
                raise StoreUnavailable("given up before its opening was written")
            case OpeningRefusal.IN_FLIGHT | OpeningRefusal.GUARD:
                return _BUSY
            case answer:
                return answer


def _lasting_refusal(
    command: FollowUpCommand, reference: Reference
) -> Refusal | InvalidFields | None:
    """Why not, whatever becomes of what is in flight: it may free all that it had reserved."""
    order = reference.order
    freed = replace(order, balance=replace(order.balance, reserved_minor=0))
    granted = _grant(command, replace(reference, order=freed))
    if isinstance(granted, Granted) or (
        isinstance(granted, Refusal) and granted.code == _BUSY.code
    ):
        return None
    return granted


def _grant(command: FollowUpCommand, reference: Reference) -> Granted | Refusal | InvalidFields:
    match command.type:
        case TransactionType.CAPTURE:
            return grant_capture(command, reference)
        case TransactionType.REFUND:
            return grant_refund(command, reference)
        case _:
            return grant_cancel(reference)
