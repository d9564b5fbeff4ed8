"""Taking over: what a gateway without a running lease has left is ended by another.

An opened row is presumed sent, so a charge is reversed and a follow-up is repeated. This gateway's
own earlier starts are such others, too.
"""

import asyncio

from structlog.typing import FilteringBoundLogger

from netvalve.domain.bank_message import NoAnswer
from netvalve.payments.lease import Lease
from netvalve.payments.ports import Clock, Orphans, TransactionOnOrder
from netvalve.payments.replay import Replay
from netvalve.payments.resolve import closing_of

POLL_S = 1.0
AT_ONCE = 200
REST_S = 60.0
"""How long an orphan that could not be closed is left alone."""


class TakeOver:
    """Looks after the leases of others for as long as its own holds."""

    def __init__(
        self,
        *,
        orphans: Orphans,
        lease: Lease,
        replay: Replay,
        clock: Clock,
        log: FilteringBoundLogger,
        poll_s: float = POLL_S,
    ) -> None:
        self._orphans, self._lease, self._replay = orphans, lease, replay
        self._clock, self._log, self._poll_s = clock, log, poll_s
        self._rests_until_s: dict[int, float] = {}
        """By transaction: when one that failed is tried again."""

    async def run(self) -> None:
        """Take over what is left, until cancelled. No failure ends it."""
        while True:
            try:
                await self._pass()
            except Exception as error:  # noqa: BLE001  # the store may be away: there is another
                self._log.error("take_over_waits", error=type(error).__name__)
            await asyncio.sleep(self._poll_s)

    async def _pass(self) -> None:
        self._forget_rested()
        term = self._lease.term
        if term is None:
            return
        for epoch in await self._orphans.left_by():
            messages = await self._adopt(epoch, term)
            transactions = await self._end(epoch, term)
            if messages or transactions:
                self._log.warning(
                    "taken_over", epoch=epoch, messages=messages, transactions=transactions
                )

    async def _adopt(self, epoch: int, term: int) -> int:
        """Make the stored messages our own; from then on the worker sends them."""
        adopted = 0
        while self._lease.holds(term) and (some := await self._orphans.adopt(epoch, AT_ONCE)):
            adopted += some
        return adopted

    async def _end(self, epoch: int, term: int) -> int:
        """Close what was left without a message, in groups. One that fails stops no other."""
        after_id, ended = 0, 0
        while self._lease.holds(term) and (
            found := await self._orphans.pending(epoch, after_id, AT_ONCE)
        ):
            ended += sum(await asyncio.gather(*map(self._ended, found)))
            after_id = found[-1][0].transaction_id
        return ended

    async def _ended(self, orphan: TransactionOnOrder) -> bool:
        """Close one as if it had been sent and not answered, and adopt it in the same write."""
        number = orphan[0].transaction_id
        if number in self._rests_until_s:
            return False
        try:
            payment = await self._replay.payment(orphan)
            outcome = NoAnswer("the gateway that had opened it is gone")
            return await self._orphans.close(closing_of(payment, outcome, self._clock.now_ms()))
        except Exception as error:  # noqa: BLE001  # whatever it is, it concerns this one
            self._log.error("take_over_failed", transaction_id=number, error=type(error).__name__)
            self._rests_until_s[number] = self._clock.monotonic_s() + REST_S
            return False

    def _forget_rested(self) -> None:
        now_s = self._clock.monotonic_s()
        self._rests_until_s = {
            number: until_s for number, until_s in self._rests_until_s.items() if until_s > now_s
        }
