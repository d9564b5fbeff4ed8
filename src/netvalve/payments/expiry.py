"""Expiry: an authorization that nobody captured in its hold time is cancelled by the gateway.

The cancel is one like any merchant's: it takes its turn and the store's claim, and it is repeated
where the bank's answer is lost. What is in flight, a pending capture above all, defers it.
"""

import asyncio
from collections import Counter
from enum import StrEnum

from structlog.typing import FilteringBoundLogger

from netvalve.domain.client import BankProfile
from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.domain.lifecycle import State
from netvalve.domain.order import Order
from netvalve.domain.refusal import Refusal
from netvalve.domain.transaction import TransactionType
from netvalve.payments.commands import FollowUpCommand
from netvalve.payments.gateway import Gateway, PaymentAnswer
from netvalve.payments.ports import Banks, Clock, Configuration, Expiring

REASON = "the hold time is over"
"""In the history of the cancel: nobody asked for it."""
DUE_MAX = 128
"""Looked at in one round."""
AT_ONCE_MAX = 16
NOT_SENT_PAUSE_MS = 60_000
REFUSED_PAUSE_MS = 3_600_000
_OTHERS = frozenset({"GTW_2046", "GTW_2047", "GTW_2049"})
"""Captured, cancelled or in flight: somebody else was first, and it is not ours to end."""


class End(StrEnum):
    """What a round came to for one authorization."""

    CANCELLED = "cancelled"
    PENDING = "pending"
    """The cancel is at the bank, or stored to be repeated."""
    OTHERS = "others"
    """Another operation of the order, or another gateway, was first."""
    NOT_SENT = "not_sent"
    REFUSED = "refused"


PAUSES_MS = {End.NOT_SENT: NOT_SENT_PAUSE_MS, End.REFUSED: REFUSED_PAUSE_MS}
"""How long what was not cancelled is put off."""


class Expiry:
    """The worker of one process. Several on one store are each other's others."""

    def __init__(
        self,
        *,
        expiring: Expiring,
        gateway: Gateway,
        configuration: Configuration,
        banks: Banks,
        clock: Clock,
        poll_s: float,
        log: FilteringBoundLogger,
    ) -> None:
        self._expiring, self._gateway, self._configuration = expiring, gateway, configuration
        self._banks, self._clock, self._poll_s, self._log = banks, clock, poll_s, log
        self._places = asyncio.Semaphore(AT_ONCE_MAX)

    async def run(self) -> None:
        """Cancel what is due, until cancelled itself. No failure ends it.

        The first round waits too: the links to the banks come up meanwhile.
        """
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                await self._round()
            except Exception as error:  # noqa: BLE001  # the store may be away: there is another
                self._log.error("expiry_waits", error=type(error).__name__)

    async def _round(self) -> None:
        due = await self._expiring.due(self._clock.now_ms(), DUE_MAX)
        ends = await asyncio.gather(*map(self._in_its_place, due))
        if ends:
            counts = {end.value: count for end, count in Counter(ends).items()}
            self._log.info("holds_over", **counts)

    async def _in_its_place(self, order: Order) -> End:
        """End one hold; what fails in it concerns this one, and is put off like a refusal."""
        async with self._places:
            try:
                end = await self._end(order)
            except StoreUnavailable:
                end = End.NOT_SENT
            except Exception as error:  # noqa: BLE001  # whatever it is, the others' ends must come
                self._tell("expiry_failed", order, error)
                end = End.REFUSED
            if end in PAUSES_MS:
                await self._put_off(order, PAUSES_MS[end])
            return end

    async def _end(self, order: Order) -> End:
        """Cancel through the gateway's own path; a link that is down costs no attempt."""
        if not self._banks.link(self._bank_of(order)).ready:
            return End.NOT_SENT
        answer = await self._gateway.follow_up(
            self._configuration.directory.clients[order.client_id],
            FollowUpCommand(TransactionType.CANCEL, order.opening_id, reason=REASON),
            trace_id=order.trace_id,
            arrived_s=self._clock.monotonic_s(),
        )
        return end_of(answer)

    async def _put_off(self, order: Order, pause_ms: int) -> None:
        """What cannot be written is found due again by the next round, after its pause."""
        try:
            await self._expiring.put_off(order.order_id, self._clock.now_ms() + pause_ms)
        except (StoreUnavailable, StoreUncertain) as error:
            self._tell("expiry_not_put_off", order, error)

    def _bank_of(self, order: Order) -> BankProfile:
        """An account may be disabled, it is never removed."""
        directory = self._configuration.directory
        account = directory.account(order.client_id, order.mid_id)
        if account is None:
            raise LookupError(f"order {order.order_id} names account {order.mid_id}, which is gone")
        return directory.bank_of(account)

    def _tell(self, event: str, order: Order, error: Exception) -> None:
        self._log.error(event, order_id=order.order_id, error=type(error).__name__)


def end_of(answer: PaymentAnswer) -> End:
    """What the gateway's answer to the cancel means for the hold."""
    match answer:
        case Refusal(code=code) if code in _OTHERS:
            return End.OTHERS
        case (transaction, _):
            return _END_OF_STATE.get(transaction.state, End.REFUSED)
        case _:
            return End.REFUSED


_END_OF_STATE = {
    State.APPROVED: End.CANCELLED,
    State.PENDING: End.PENDING,
    State.FAILED: End.NOT_SENT,
}
