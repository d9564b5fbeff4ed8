"""Taking over: what a dead process left pending is ended by the next one.

An opened row is presumed sent, so a charge is reversed and a follow-up is repeated.
"""

import asyncio

from structlog.typing import FilteringBoundLogger

from netvalve.domain.bank_message import NoAnswer
from netvalve.payments.ports import Clock, Forwards, TransactionOnOrder
from netvalve.payments.replay import Replay
from netvalve.payments.resolve import closing_of

AT_ONCE = 200
PAUSE_FIRST_S = 1.0
PAUSE_MAX_S = 60.0


class TakeOver:
    """One process's beginning: ends when nothing is left that an earlier one had opened."""

    def __init__(
        self, forwards: Forwards, replay: Replay, clock: Clock, log: FilteringBoundLogger
    ) -> None:
        self._forwards, self._replay = forwards, replay
        self._clock, self._log = clock, log

    async def run(self) -> None:
        """Pass over the orphans until all have been closed. One that fails stops no other."""
        pause_s = PAUSE_FIRST_S
        while not await self._passed():
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_MAX_S)

    async def _passed(self) -> bool:
        """Whether a pass over all of them met no failure."""
        try:
            await self._forwards.adopt()
            return await self._pass()
        except Exception as error:  # noqa: BLE001  # the store may be away: there is another pass
            self._log.error("take_over_waits", error=type(error).__name__)
            return False

    async def _pass(self) -> bool:
        after_id, taken, whole = 0, 0, True
        while found := await self._forwards.orphans(after_id, AT_ONCE):
            for each in found:
                ended = await self._ended(each)
                taken, whole = taken + ended, whole and ended
            after_id = found[-1][0].transaction_id
        if taken:
            self._log.warning("transactions_taken_over", count=taken)
        return whole

    async def _ended(self, orphan: TransactionOnOrder) -> bool:
        """Close one as if it had been sent and not answered, and adopt it in the same write."""
        try:
            payment = await self._replay.payment(orphan)
            outcome = NoAnswer("the process that had opened it is gone")
            await self._forwards.close_orphan(closing_of(payment, outcome, self._clock.now_ms()))
        except Exception as error:  # noqa: BLE001  # whatever it is, it concerns this one
            self._log.error(
                "take_over_failed",
                transaction_id=orphan[0].transaction_id,
                error=type(error).__name__,
            )
            return False
        return True
