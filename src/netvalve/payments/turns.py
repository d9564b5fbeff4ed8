"""Turns: within one process the operations of an order queue here, first come, first served.

The store's own guard decides over all processes; this queue only spares it the crowd.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """One fair lock for each order that has work, and none for the others."""

    def __init__(self) -> None:
        self._locks: dict[int, asyncio.Lock] = {}
        self._wanted: dict[int, int] = {}

    @asynccontextmanager
    async def take(self, order_id: int, wait_s: float) -> AsyncIterator[None]:
        """Hold the order's turn.

        Raises:
            TimeoutError: the turn did not come within `wait_s`.
        """
        lock = self._locks.setdefault(order_id, asyncio.Lock())
        self._wanted[order_id] = self._wanted.get(order_id, 0) + 1
        try:
            async with asyncio.timeout(max(wait_s, 0)):
                await lock.acquire()
            try:
                yield
            finally:
                lock.release()
        finally:
            self._wanted[order_id] -= 1
            if not self._wanted[order_id]:
                del self._wanted[order_id], self._locks[order_id]
