"""Store and forward: every unknown outcome is brought to an end that is true on both sides.

A reversal is sent until the bank acknowledges it, a repeat until the bank answers it, each with
its own first identity; there is no last try. Each bank has its own places: one that is silent
holds up no other, and one that is away is waited for without an attempt.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from functools import partial
from typing import Any

from structlog.typing import FilteringBoundLogger

from netvalve.domain.bank_message import Answered, BankOutcome, NotSent
from netvalve.domain.client import BankProfile
from netvalve.domain.journal import ForwardKind, StoredMessage
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import MessageIdentity
from netvalve.payments.observation import Observer
from netvalve.payments.patience import PatientStore
from netvalve.payments.payment import Payment
from netvalve.payments.ports import Bank, Banks, Clock, Configuration, Forwards
from netvalve.payments.replay import Replay
from netvalve.payments.resolve import approves, closing_of

POLL_S = 0.25
"""How often the store is asked for what is due."""
AT_ONCE_MAX = 32
"""Stored messages under way to one bank at once."""
BACKOFF_S = (1, 2, 5, 10, 30, 60, 300, 900, 3600)
"""Pauses between attempts; the last one for ever."""
NOT_SENT_S = 5
"""The pause after a message that did not leave: no attempt."""
FAULT_PAUSE_S = 1.0
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
        patient: PatientStore,
        replay: Replay,
        configuration: Configuration,
        banks: Banks,
        observer: Observer,
        clock: Clock,
        answer_within_s: float,
        log: FilteringBoundLogger,
    ) -> None:
        self._forwards, self._patient, self._replay = forwards, patient, replay
        self._configuration, self._banks, self._observer = configuration, banks, observer
        self._clock, self._answer_within_s, self._log = clock, answer_within_s, log
        self._under_way: dict[tuple[int, ForwardKind], asyncio.Task[None]] = {}
        self._places: Counter[int] = Counter()
        """Messages under way, by bank."""
        self._listening: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send what is due, until cancelled. No failure ends it."""
        try:
            while True:
                for bank in tuple(self._configuration.directory.banks.values()):
                    await self._safely(self._send_due(bank))
                await asyncio.sleep(POLL_S)
        finally:
            await self._settle()

    def heard(self, identity: MessageIdentity, answer: Answered) -> None:
        """An answer that nothing in flight was waiting for: late, or doubled."""
        task = asyncio.create_task(self._safely(self._take_late_answer(identity, answer)))
        self._listening.add(task)
        task.add_done_callback(self._listening.discard)

    async def _safely(self, work: Coroutine[Any, Any, None]) -> None:
        """A failure is told and waits for another round."""
        try:
            await work
        except Exception as error:  # noqa: BLE001  # whatever it is, the others' ends must come
            self._log.error("store_and_forward_waits", error=type(error).__name__)
            await asyncio.sleep(FAULT_PAUSE_S)

    async def _send_due(self, bank: BankProfile) -> None:
        link = self._banks.link(bank)
        room = AT_ONCE_MAX - self._places[bank.bank_id]
        if room <= 0 or not link.ready:
            return
        due = await self._forwards.due(bank.bank_id, self._clock.now_ms(), AT_ONCE_MAX * 2)
        waiting = [each for each in due if _key(each) not in self._under_way]
        for message in waiting[:room]:
            self._places[bank.bank_id] += 1
            task = asyncio.create_task(self._safely(self._deliver(message, link)))
            self._under_way[_key(message)] = task
            task.add_done_callback(partial(self._over, message))

    def _over(self, message: StoredMessage, _task: asyncio.Task[None]) -> None:
        del self._under_way[_key(message)]
        self._places[message.forward.bank_id] -= 1

    async def _deliver(self, message: StoredMessage, link: Bank) -> None:
        """One attempt. Whatever fails in it is told with its number, and waits its pause."""
        try:
            if message.forward.kind is ForwardKind.REVERSAL:
                outcome, ended = await self._reverse(message, link)
            else:
                outcome, ended = await self._repeat(message, link)
        except Exception as error:  # noqa: BLE001  # it concerns this message alone
            self._tell_error("forward_failed", message, error=type(error).__name__)
            outcome, ended = None, False
        if not ended:
            await self._postpone(message, outcome)

    async def _reverse(self, message: StoredMessage, link: Bank) -> tuple[BankOutcome, bool]:
        request = await self._replay.reversal(message)
        outcome = await link.send(request, self._deadline_s())
        if not isinstance(outcome, Answered):
            return outcome, False
        if outcome.response_code not in _UNDONE:
            self._tell_error("reversal_refused", message, field_39=outcome.response_code)
            return outcome, False
        now_ms = self._clock.now_ms()
        if await self._forwards.acknowledge(message, now_ms, outcome.response_code):
            self._tell("reversed", message)
        return outcome, True

    async def _repeat(self, message: StoredMessage, link: Bank) -> tuple[BankOutcome, bool]:
        payment = await self._replay.payment((message.transaction, message.order))
        outcome = await link.send(payment.request, self._deadline_s())
        return outcome, await self._closed_by(payment, outcome, message)

    async def _closed_by(
        self, payment: Payment, outcome: BankOutcome, message: StoredMessage
    ) -> bool:
        """Close by an answer that ends it. No answer, 91 and 96, and a mismatch end nothing."""
        if not isinstance(outcome, Answered):
            return False
        closing = closing_of(payment, outcome, self._clock.now_ms())
        ends = closing.event is not Event.REPEATED
        if ends:
            await self._patient.close(closing)
            self._tell("answered_at_last", message)
        self._observer.saw(payment, outcome, closing)
        return ends

    async def _take_late_answer(self, identity: MessageIdentity, answer: Answered) -> None:
        for message in await self._forwards.of_original(identity.rrn):
            transaction = message.transaction
            own = transaction.identity
            if (own.stan, own.terminal_id) != (identity.stan, identity.terminal_id):
                continue
            if message.forward.kind is ForwardKind.REPEAT and transaction.state is State.PENDING:
                payment = await self._replay.payment((transaction, message.order))
                await self._closed_by(payment, answer, message)
            elif message.forward.kind is ForwardKind.REVERSAL and approves(answer):
                now_ms = self._clock.now_ms()
                if await self._forwards.reopen(message, now_ms, answer.response_code):
                    self._tell("late_approval", message)

    async def _postpone(self, message: StoredMessage, outcome: BankOutcome | None) -> None:
        """Wait longer after each attempt; what did not leave was none."""
        tried = not isinstance(outcome, NotSent)
        seconds = pause_s(message.attempts) if tried else NOT_SENT_S
        at_ms = self._clock.now_ms() + seconds * 1000
        await self._forwards.postpone(message.forward, at_ms, counted=tried)

    def _deadline_s(self) -> float:
        return self._clock.monotonic_s() + self._answer_within_s

    def _tell(self, event: str, message: StoredMessage) -> None:
        number = message.forward.transaction_id
        self._log.info(event, transaction_id=number, attempts=message.attempts + 1)

    def _tell_error(self, event: str, message: StoredMessage, **facts: str) -> None:
        number = message.forward.transaction_id
        self._log.error(event, transaction_id=number, attempts=message.attempts + 1, **facts)

    async def _settle(self) -> None:
        """End what is under way; its messages are sent again by the next start."""
        under_way = {*self._under_way.values(), *self._listening}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def _key(message: StoredMessage) -> tuple[int, ForwardKind]:
    return message.forward.transaction_id, message.forward.kind
