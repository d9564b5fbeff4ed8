"""Store and forward: every unknown outcome is brought to an end that is true on both sides.

A reversal is sent until the bank acknowledges it, a repeat until the bank answers it, each with
its own first identity; there is no last try. Each bank has its own places: one that is silent
holds up no other, and one that is away is waited for without an attempt. What no bank ends, an
operator's word does.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from functools import partial
from typing import Any

from structlog.typing import FilteringBoundLogger

from netvalve.domain.bank_message import Answered, BankOutcome, BankRequest, NotSent
from netvalve.domain.client import BankProfile
from netvalve.domain.journal import PAUSE_MAX_MS, ForwardKind, StoredMessage
from netvalve.domain.transaction import MessageIdentity
from netvalve.payments.endings import Endings
from netvalve.payments.lease import LEASE_RAN_OUT, Lease
from netvalve.payments.ports import Bank, Banks, Clock, Configuration, Forwards
from netvalve.payments.replay import Replay
from netvalve.payments.resolve import approves

POLL_S = 0.25
"""How often the store is asked for what is due."""
AT_ONCE_MAX = 32
"""Stored messages under way to one bank at once."""
BACKOFF_S = (1, 2, 5, 10, 30, 60, 300, 900, PAUSE_MAX_MS // 1000)
"""Pauses between attempts; the last one for ever."""
NOT_SENT_S = 5
"""The pause after a message that did not leave: no attempt."""
FAULT_PAUSE_S = 1.0
RESOLUTION_PAUSE_S = 60.0
"""The pause after a resolution that could not be carried out."""
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
        lease: Lease,
        replay: Replay,
        endings: Endings,
        configuration: Configuration,
        banks: Banks,
        clock: Clock,
        answer_within_s: float,
        log: FilteringBoundLogger,
        poll_s: float = POLL_S,
    ) -> None:
        self._forwards, self._lease = forwards, lease
        self._replay, self._endings, self._configuration = replay, endings, configuration
        self._banks, self._clock, self._answer_within_s = banks, clock, answer_within_s
        self._log, self._poll_s = log, poll_s
        self._under_way: dict[tuple[int, ForwardKind], asyncio.Task[None]] = {}
        self._places: Counter[int] = Counter()
        """Messages under way, by bank."""
        self._listening: dict[asyncio.Task[None], None] = {}

    async def run(self) -> None:
        """Send what is due, until cancelled. No failure ends it."""
        try:
            while True:
                for bank in tuple(self._configuration.directory.banks.values()):
                    await self._safely(self._send_due(bank))
                await self._safely(self._end_resolved())
                await asyncio.sleep(self._poll_s)
        finally:
            await self._settle()

    def heard(self, identity: MessageIdentity, answer: Answered) -> None:
        """An answer that nothing in flight was waiting for: late, or doubled."""
        task = asyncio.create_task(self._safely(self._endings.by_late_answer(identity, answer)))
        self._listening[task] = None
        task.add_done_callback(self._listening.pop)

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
        term = self._lease.term
        if room <= 0 or term is None or not link.ready:
            return
        due = await self._forwards.due(bank.bank_id, self._clock.now_ms(), AT_ONCE_MAX * 2)
        waiting = [each for each in due if _key(each) not in self._under_way]
        for message in waiting[:room]:
            self._begin(message, self._deliver(message, link, term))

    async def _end_resolved(self) -> None:
        """End what an operator has resolved, whether or not its bank can be reached.

        An attempt under way comes first: what a bank says is better than what is said of it.
        """
        for message in await self._forwards.resolved(AT_ONCE_MAX):
            if _key(message) not in self._under_way:
                self._begin(message, self._end_by_hand(message))

    def _begin(self, message: StoredMessage, work: Coroutine[Any, Any, None]) -> None:
        self._places[message.forward.bank_id] += 1
        task = asyncio.create_task(self._safely(work))
        self._under_way[_key(message)] = task
        task.add_done_callback(partial(self._over, message))

    def _over(self, message: StoredMessage, _task: asyncio.Task[None]) -> None:
        del self._under_way[_key(message)]
        self._places[message.forward.bank_id] -= 1

    async def _deliver(self, message: StoredMessage, link: Bank, term: int) -> None:
        """One attempt. Whatever fails in it is told with its number, and waits its pause."""
        try:
            if message.forward.kind is ForwardKind.REVERSAL:
                outcome, ended = await self._reverse(message, link, term)
            else:
                outcome, ended = await self._repeat(message, link, term)
        except Exception as error:  # noqa: BLE001  # it concerns this message alone
            self._tell_error("forward_failed", message, error=type(error).__name__)
            outcome, ended = None, False
        if not ended:
            await self._postpone(message, outcome)

    async def _reverse(
        self, message: StoredMessage, link: Bank, term: int
    ) -> tuple[BankOutcome, bool]:
        request = await self._replay.reversal(message)
        outcome = await self._send(request, link, term)
        if not isinstance(outcome, Answered):
            return outcome, False
        if outcome.response_code not in _UNDONE:
            self._tell_error("reversal_refused", message, field_39=outcome.response_code)
            return outcome, False
        now_ms = self._clock.now_ms()
        if await self._forwards.acknowledge(message, now_ms, outcome.response_code):
            self._tell("reversed", message)
        return outcome, True

    async def _repeat(
        self, message: StoredMessage, link: Bank, term: int
    ) -> tuple[BankOutcome, bool]:
        payment = await self._replay.payment((message.transaction, message.order))
        outcome = await self._send(payment.request, link, term)
        return outcome, await self._endings.by_answer(payment, outcome, message)

    async def _send(self, request: BankRequest, link: Bank, term: int) -> BankOutcome:
        """Ask the bank, unless the message may be another gateway's by now."""
        if not self._lease.holds(term):
            return NotSent(LEASE_RAN_OUT)
        return await link.send(request, self._deadline_s())

    async def _end_by_hand(self, message: StoredMessage) -> None:
        """Whatever fails in it is told with its number, and waits before another try."""
        try:
            await self._endings.by_hand(message)
        except Exception as error:  # noqa: BLE001  # it concerns this message alone
            self._tell_error("resolution_failed", message, error=type(error).__name__)
            await asyncio.sleep(RESOLUTION_PAUSE_S)

    async def _postpone(self, message: StoredMessage, outcome: BankOutcome | None) -> None:
        """Wait longer after each attempt; what did not leave was none."""
        tried = not isinstance(outcome, NotSent)
        seconds = pause_s(message.attempts) if tried else NOT_SENT_S
        at_ms = self._clock.now_ms() + seconds * 1000
        refused_39 = _refusal(message, outcome)
        await self._forwards.postpone(message.forward, at_ms, counted=tried, refused_39=refused_39)

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
        under_way = [*self._under_way.values(), *self._listening]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def _refusal(message: StoredMessage, outcome: BankOutcome | None) -> str | None:
    """Field 39 of an answer that is not the one awaited, and that asking again may not change.

    To a reversal, any that does not undo; to a repeat, the approval of something else.
    """
    if not isinstance(outcome, Answered):
        return None
    if message.forward.kind is ForwardKind.REPEAT and not approves(outcome):
        return None
    return outcome.response_code


def _key(message: StoredMessage) -> tuple[int, ForwardKind]:
    return message.forward.transaction_id, message.forward.kind
