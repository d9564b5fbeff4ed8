"""Transactions whose end is waited for: one look-out for each, however many wait for it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from netvalve.domain.journal import StoreUnavailable
from netvalve.domain.lifecycle import State
from netvalve.payments.ports import Records, TransactionOnOrder

_POLL_S: Final = 0.1
"""How often a transaction is looked at while few are waited for."""
_LOOKS_PER_S_MAX: Final = 500
"""Over all transactions: above it each is looked at less often, and payments keep their pace."""


class Awaited:
    """Lets many wait for few transactions at the price of the few."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lookouts: dict[int, _Lookout] = {}
        self._waiting: dict[int, int] = {}
        """How many wait, by client; who has none is not in it."""
        self._hurried = False

    def admits(self, client_id: int, waiting_max: int) -> bool:
        """Whether one more may wait: a client holds no more places than it leaves free.

        So one client alone gets half of them, and the other half is for those who have fewer.
        """
        free = waiting_max - sum(self._waiting.values())
        return not self._hurried and self._waiting.get(client_id, 0) < free

    async def end_of(self, pending: TransactionOnOrder, wait_s: float) -> TransactionOnOrder | None:
        """The transaction as it ends, or as it was last seen: after `wait_s`, when the store
        cannot be read, when nobody may wait any more.
        """
        with self._place(pending) as lookout:
            await asyncio.wait([lookout.task], timeout=wait_s)
            return lookout.sight()

    def hurry(self) -> None:
        """Let nobody wait from now on."""
        self._hurried = True
        for lookout in self._lookouts.values():
            lookout.task.cancel()

    @contextmanager
    def _place(self, pending: TransactionOnOrder) -> "Iterator[_Lookout]":
        """A place among those who wait; the last one to leave ends the look-out."""
        client_id, number = pending[0].client_id, pending[0].transaction_id
        if number not in self._lookouts:
            self._lookouts[number] = _Lookout(self._records, pending, self._pause_s)
        lookout = self._lookouts[number]
        lookout.waiting += 1
        self._waiting[client_id] = self._waiting.get(client_id, 0) + 1
        try:
            yield lookout
        finally:
            self._waiting[client_id] -= 1
            if not self._waiting[client_id]:
                del self._waiting[client_id]
            lookout.waiting -= 1
            if not lookout.waiting:
                lookout.task.cancel()
                del self._lookouts[number]

    def _pause_s(self) -> float:
        return max(_POLL_S, len(self._lookouts) / _LOOKS_PER_S_MAX)


class _Lookout:
    """Looks at one transaction again and again, until it is pending no more."""

    def __init__(
        self, records: Records, pending: TransactionOnOrder, pause_s: Callable[[], float]
    ) -> None:
        self._records, self._pause_s = records, pause_s
        self._seen: TransactionOnOrder | None = pending
        self.waiting = 0
        self.task = asyncio.create_task(self._look())

    def sight(self) -> TransactionOnOrder | None:
        """What was seen last; a fault of the looking is raised for everyone who waited."""
        if self.task.done() and not self.task.cancelled():
            self.task.result()
        return self._seen

    async def _look(self) -> None:
        with suppress(StoreUnavailable):
            while self._seen and self._seen[0].state is State.PENDING:
                await asyncio.sleep(self._pause_s())
                transaction, _ = self._seen
                self._seen = await self._records.transaction(
                    transaction.client_id, transaction.transaction_id
                )
