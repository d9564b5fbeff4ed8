"""Expiry: an authorization that nobody captured in its hold time is cancelled by the gateway.

Each bank has its own places: one that is silent holds up no other, and one that is away is waited
for without an attempt. What is in flight, a pending capture above all, defers the end.
"""

import asyncio
from collections import Counter, defaultdict
from functools import partial

from structlog.typing import FilteringBoundLogger

from netvalve.domain.client import BankProfile
from netvalve.domain.order import Order
from netvalve.payments.hold_ends import End, HoldEnds
from netvalve.payments.ports import Bank, Banks, Clock, Configuration, Expiring

DUE_MAX = 128
"""Read in one look at a bank."""
AT_ONCE_MAX = 16
"""Cancels under way at one bank at once."""


class Expiry:
    """The worker of one process. Several on one store are each other's others."""

    def __init__(
        self,
        *,
        expiring: Expiring,
        hold_ends: HoldEnds,
        configuration: Configuration,
        banks: Banks,
        clock: Clock,
        poll_s: float,
        log: FilteringBoundLogger,
    ) -> None:
        self._expiring, self._hold_ends, self._configuration = expiring, hold_ends, configuration
        self._banks, self._clock, self._poll_s, self._log = banks, clock, poll_s, log
        self._walks: dict[int, asyncio.Task[None]] = {}
        """Through what is due, by bank."""
        self._places = defaultdict[int, asyncio.Semaphore](partial(asyncio.Semaphore, AT_ONCE_MAX))
        self._under_way: dict[int, asyncio.Task[None]] = {}
        """By order."""
        self._ends: Counter[End] = Counter()
        """Since they were last told."""

    async def run(self) -> None:
        """Cancel what is due, until cancelled itself. No failure ends it.

        The first look waits too: the links to the banks come up meanwhile.
        """
        try:
            while True:
                await asyncio.sleep(self._poll_s)
                self._tell_ends()
                for bank in self._configuration.directory.banks.values():
                    if bank.bank_id not in self._walks:
                        self._set_out(bank)
        finally:
            await self._settle()

    def _set_out(self, bank: BankProfile) -> None:
        walk = asyncio.create_task(self._walk(bank))
        self._walks[bank.bank_id] = walk
        walk.add_done_callback(lambda _walk: self._walks.pop(bank.bank_id))

    async def _walk(self, bank: BankProfile) -> None:
        """Look until nothing is left: a full look is followed by the next at once.

        One that shows the same again got nowhere; the next poll comes back to it.
        """
        seen: tuple[int, ...] = ()
        try:
            while (due := await self._look(bank)) != seen and len(due) == DUE_MAX:
                seen = due
        except Exception as error:  # noqa: BLE001  # the store may be away: there is another poll
            self._log.error("expiry_waits", bank=bank.name, error=type(error).__name__)

    async def _look(self, bank: BankProfile) -> tuple[int, ...]:
        """The orders due at a bank; each is under way once this returns, or has ended."""
        link, places = self._banks.link(bank), self._places[bank.bank_id]
        if not link.ready:
            return ()
        due = await self._expiring.due(bank.bank_id, self._clock.now_ms(), DUE_MAX)
        for order in [each for each in due if each.order_id not in self._under_way]:
            await places.acquire()
            self._begin(order, bank, link)
        return tuple(order.order_id for order in due)

    def _begin(self, order: Order, bank: BankProfile, link: Bank) -> None:
        task = asyncio.create_task(self._end(order, bank, link))
        self._under_way[order.order_id] = task
        task.add_done_callback(partial(self._over, order, bank))

    async def _end(self, order: Order, bank: BankProfile, link: Bank) -> None:
        """What is looked for again when its bank is back needs no putting off."""
        end = await self._hold_ends.end(order, bank) if link.ready else End.NOT_SENT
        self._ends[end] += 1

    def _over(self, order: Order, bank: BankProfile, _task: asyncio.Task[None]) -> None:
        del self._under_way[order.order_id]
        self._places[bank.bank_id].release()

    def _tell_ends(self) -> None:
        if self._ends:
            self._log.info("holds_over", **{end.value: many for end, many in self._ends.items()})
            self._ends.clear()

    async def _settle(self) -> None:
        """Stop looking and waiting. A payment that was begun is seen through by the gateway."""
        tasks = [*self._walks.values(), *self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
