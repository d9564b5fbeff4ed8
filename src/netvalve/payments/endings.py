"""What ends a message that is stored: its bank's answer, however late, or an operator's word."""

from collections.abc import Awaitable, Callable
from functools import partial

from structlog.typing import FilteringBoundLogger

from netvalve.domain.bank_message import Answered, BankOutcome
from netvalve.domain.journal import ForwardKind, StoredMessage, StoreUnavailable, StoreUncertain
from netvalve.domain.lifecycle import Event, State
from netvalve.domain.transaction import MessageIdentity
from netvalve.payments.observation import Observer
from netvalve.payments.patience import PatientStore, pauses
from netvalve.payments.payment import Payment
from netvalve.payments.ports import Clock, Forwards
from netvalve.payments.replay import Replay
from netvalve.payments.resolve import approves, closing_by_hand, closing_of, contradicted_by


class Endings:
    """Ends repeats by their answers, either kind by hand, and opens a reversal again."""

    def __init__(
        self,
        *,
        forwards: Forwards,
        patient: PatientStore,
        replay: Replay,
        observer: Observer,
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._forwards, self._patient, self._replay = forwards, patient, replay
        self._observer, self._clock, self._log = observer, clock, log

    async def by_answer(
        self, payment: Payment, outcome: BankOutcome, message: StoredMessage
    ) -> bool:
        """Close a repeat by an answer that ends it; whether this one does.

        No answer, 91 and 96, and a mismatch end nothing. What another gateway has taken over is
        left to it: it asks the bank again, and hears the same. To what somebody has ended meanwhile
        the answer comes late.
        """
        if not isinstance(outcome, Answered):
            return False
        closing = closing_of(payment, outcome, self._clock.now_ms())
        ends = closing.event is not Event.REPEATED
        if ends and await self._patient.close(closing):
            self._tell("answered_at_last", message)
        elif ends:
            identity = message.transaction.identity
            await self._patiently(identity, partial(self._keep, message, outcome))
        self._observer.saw(payment, outcome, closing)
        return ends

    async def by_hand(self, message: StoredMessage) -> None:
        """End a message as an operator has resolved it, through the guards of any other end."""
        now_ms = self._clock.now_ms()
        if message.forward.kind is ForwardKind.REVERSAL:
            ended = await self._forwards.acknowledge(message, now_ms, None)
        elif message.resolution is not None:
            payment = await self._replay.payment((message.transaction, message.order))
            closing = closing_by_hand(payment, message.resolution, now_ms)
            ended = await self._patient.close(closing)
        else:
            raise ValueError("nobody has resolved it")
        if ended:
            self._tell("ended_by_hand", message)

    async def by_late_answer(self, identity: MessageIdentity, answer: Answered) -> None:
        """Take an answer to a transaction's own message that nobody waits for any more."""
        await self._patiently(identity, partial(self._by_late_answer, identity, answer))

    async def _patiently(
        self, identity: MessageIdentity, work: Callable[[], Awaitable[None]]
    ) -> None:
        """An answer is not said twice, so that a store that is away is waited for."""
        async for _ in pauses():
            try:
                await work()
            except (StoreUnavailable, StoreUncertain) as broken:
                self._log.warning("late_answer_waits", rrn=identity.rrn, reason=str(broken))
            else:
                return

    async def _by_late_answer(self, identity: MessageIdentity, answer: Answered) -> None:
        for message in await self._forwards.of_original(identity.rrn):
            transaction = message.transaction
            own = transaction.identity
            if (own.stan, own.terminal_id) != (identity.stan, identity.terminal_id):
                continue
            if message.forward.kind is ForwardKind.REPEAT and transaction.state is State.PENDING:
                payment = await self._replay.payment((transaction, message.order))
                await self.by_answer(payment, answer, message)
            elif message.forward.kind is ForwardKind.REVERSAL and approves(answer):
                await self._reopen(message, answer)
            else:
                await self._keep(message, answer)

    async def _reopen(self, message: StoredMessage, answer: Answered) -> None:
        """Whoever tells it the bank: an approval of what is reversed may be money."""
        now_ms = self._clock.now_ms()
        if await self._forwards.reopen(message, now_ms, answer.response_code):
            self._tell("late_approval", message)

    async def _keep(self, message: StoredMessage, answer: Answered) -> None:
        """What comes to an end that stands already changes nothing, and is not forgotten."""
        kept_as = await self._forwards.keep_late_answer(
            message, self._clock.now_ms(), answer.response_code, contradicted_by(answer)
        )
        if kept_as is not None:
            contradicts = kept_as is Event.CONTRADICTED
            self._observer.heard_late(message, answer, contradicts=contradicts)

    def _tell(self, event: str, message: StoredMessage) -> None:
        number = message.forward.transaction_id
        self._log.info(event, transaction_id=number, attempts=message.attempts + 1)
