"""Store and forward: every unknown outcome is brought to an end that is true on both sides.

A reversal is sent until the bank acknowledges it, a repeat until the bank answers it, each with
its own first identity; there is no last try. What a dead process left pending is taken over first:
an opened row is presumed sent, so a charge is reversed and a follow-up repeated.
"""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any

from structlog.typing import FilteringBoundLogger

from netvalve.domain.bank_message import Answered, BankOutcome, NoAnswer
from netvalve.domain.journal import ForwardKind, StoredMessage, StoreUnavailable, StoreUncertain
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import OPENERS, MessageIdentity, Transaction
from netvalve.payments.patience import PatientStore
from netvalve.payments.payment import Payment
from netvalve.payments.planning import Planner
from netvalve.payments.ports import Banks, Clock, Forwards, Journal, Records, TransactionOnOrder
from netvalve.payments.reference import Reference, References
from netvalve.payments.resolve import approves, closing_of

POLL_S = 0.25
"""How often the store is asked for what is due."""
AT_ONCE_MAX = 64
"""Stored messages under way at once."""
BACKOFF_S = (1, 2, 5, 10, 30, 60, 300, 900, 3600)
"""Pauses between attempts; the last one for ever."""
BANK_AWAY_S = 5
"""How long a message waits whose bank cannot be reached; not counted as an attempt."""
FAULT_PAUSE_S = 1.0
_TAKEN_AT_ONCE = 200
_UNDONE = frozenset({"00", "25"})
"""Reversed; original unknown, and the bank refuses it should it still come."""


def pause_s(attempts: int) -> int:
    """Seconds until the attempt after this many."""
    return BACKOFF_S[min(attempts, len(BACKOFF_S) - 1)]


class StoreAndForward:
    """The worker of one process."""

    def __init__(
        self,
        *,
        forwards: Forwards,
        journal: Journal,
        records: Records,
        references: References,
        planner: Planner,
        banks: Banks,
        clock: Clock,
        answer_within_s: float,
        log: FilteringBoundLogger,
    ) -> None:
        self._forwards, self._references = forwards, references
        self._planner, self._banks, self._clock = planner, banks, clock
        self._answer_within_s, self._log = answer_within_s, log
        self._patient = PatientStore(journal, records, log)
        self._under_way: dict[tuple[int, ForwardKind], asyncio.Task[None]] = {}
        self._listening: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Take over, then send what is due, until cancelled. No failure ends it."""
        try:
            await self._safely(self._take_over())
            while True:
                await self._safely(self._send_due())
                await asyncio.sleep(POLL_S)
        finally:
            await self._settle()

    def heard(self, identity: MessageIdentity, answer: Answered) -> None:
        """An answer that nothing in flight was waiting for: late, or doubled."""
        self._listen(self._take_late_answer(identity, answer))

    async def _safely(self, work: Coroutine[Any, Any, None]) -> None:
        """One failure is told and waits for another round: it must not stop the others' ends."""
        try:
            await work
        except (StoreUnavailable, StoreUncertain) as broken:
            self._log.warning("store_and_forward_waits", reason=str(broken))
            await asyncio.sleep(FAULT_PAUSE_S)
        except Exception as error:  # noqa: BLE001  # whatever it is, it concerns one message
            self._log.error("store_and_forward_fault", error=type(error).__name__)
            await asyncio.sleep(FAULT_PAUSE_S)

    async def _take_over(self) -> None:
        """End, as if unanswered, what earlier processes opened and did not close."""
        while (found := await self._forwards.take_over(_TAKEN_AT_ONCE)) is not None:
            for each in found:
                await self._safely(self._presume_sent(each))
            self._log.warning("transactions_taken_over", count=len(found))

    async def _presume_sent(self, found: TransactionOnOrder) -> None:
        payment = await self._payment_of(found)
        outcome = NoAnswer("the process that had opened it is gone")
        await self._patient.close(closing_of(payment, outcome, self._clock.now_ms()))

    async def _send_due(self) -> None:
        room = AT_ONCE_MAX - len(self._under_way)
        if room <= 0:
            return
        for message in await self._forwards.due(self._clock.now_ms(), AT_ONCE_MAX * 2):
            key = message.forward.transaction_id, message.forward.kind
            if key in self._under_way or len(self._under_way) >= AT_ONCE_MAX:
                continue
            task = asyncio.create_task(self._safely(self._send(message)))
            self._under_way[key] = task
            task.add_done_callback(partial(self._over, key))

    def _over(self, key: tuple[int, ForwardKind], _task: asyncio.Task[None]) -> None:
        del self._under_way[key]

    async def _send(self, message: StoredMessage) -> None:
        if message.forward.kind is ForwardKind.REVERSAL:
            await self._reverse(message)
        else:
            await self._repeat(message)

    async def _reverse(self, message: StoredMessage) -> None:
        reference = await self._reference_of(message.transaction)
        request = self._planner.reversal(message, reference)
        if not await self._reachable(message, reference):
            return
        outcome = await self._banks.link(reference.bank).send(request, self._deadline_s())
        if isinstance(outcome, Answered) and outcome.response_code in _UNDONE:
            await self._forwards.acknowledge(message, self._clock.now_ms(), outcome.response_code)
            self._tell("reversed", message)
            return
        if isinstance(outcome, Answered):
            self._log.error(
                "reversal_refused",
                transaction_id=message.forward.transaction_id,
                field_39=outcome.response_code,
                attempts=message.attempts + 1,
            )
        await self._postpone(message)

    async def _repeat(self, message: StoredMessage) -> None:
        payment = await self._payment_of((message.transaction, message.order))
        reference = await self._reference_of(message.transaction)
        if not await self._reachable(message, reference):
            return
        outcome = await self._banks.link(payment.bank).send(payment.request, self._deadline_s())
        if not await self._ended(payment, outcome):
            await self._postpone(message)

    async def _ended(self, payment: Payment, outcome: BankOutcome) -> bool:
        """Close by an answer that ends it; no answer, and 91 or 96, end nothing."""
        if not isinstance(outcome, Answered):
            return False
        closing = closing_of(payment, outcome, self._clock.now_ms())
        if closing.event is Event.REPEATED:
            return False
        await self._patient.close(closing)
        self._log.info(
            "answered_at_last",
            transaction_id=closing.transaction_id,
            outcome=closing.outcome.response_code if closing.outcome else None,
        )
        return True

    async def _take_late_answer(self, identity: MessageIdentity, answer: Answered) -> None:
        for message in await self._forwards.of_original(identity.rrn):
            transaction = message.transaction
            own = transaction.identity
            if (own.stan, own.terminal_id) != (identity.stan, identity.terminal_id):
                continue
            if message.forward.kind is ForwardKind.REPEAT and transaction.state is State.PENDING:
                payment = await self._payment_of((transaction, message.order))
                await self._ended(payment, answer)
            elif message.forward.kind is ForwardKind.REVERSAL and approves(answer):
                now_ms = self._clock.now_ms()
                if await self._forwards.reopen(message, now_ms, answer.response_code):
                    self._tell("late_approval", message)

    async def _reachable(self, message: StoredMessage, reference: Reference) -> bool:
        """Whether the bank's link is up; if not, the message waits without counting an attempt."""
        if self._banks.link(reference.bank).ready:
            return True
        at_ms = self._clock.now_ms() + BANK_AWAY_S * 1000
        await self._forwards.postpone(message.forward, at_ms, counted=False)
        return False

    async def _postpone(self, message: StoredMessage) -> None:
        at_ms = self._clock.now_ms() + pause_s(message.attempts) * 1000
        await self._forwards.postpone(message.forward, at_ms, counted=True)

    async def _payment_of(self, found: TransactionOnOrder) -> Payment:
        transaction, order = found
        return await self._planner.again(transaction, order, await self._reference_of(transaction))

    async def _reference_of(self, transaction: Transaction) -> Reference:
        """Of the transaction itself where it opened its order, else of what it follows."""
        named = transaction.transaction_id
        if transaction.type not in OPENERS and transaction.parent_id is not None:
            named = transaction.parent_id
        reference = await self._references.of(transaction.client_id, named)
        if reference is None:
            raise LookupError(f"transaction {named} is gone")
        return reference

    def _deadline_s(self) -> float:
        return self._clock.monotonic_s() + self._answer_within_s

    def _tell(self, event: str, message: StoredMessage) -> None:
        self._log.info(
            event, transaction_id=message.forward.transaction_id, attempts=message.attempts + 1
        )

    def _listen(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._safely(work))
        self._listening.add(task)
        task.add_done_callback(self._listening.discard)

    async def _settle(self) -> None:
        """Let what is under way be written; its messages are repeated otherwise."""
        under_way = {*self._under_way.values(), *self._listening}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
