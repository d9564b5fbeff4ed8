"""Identifiers: numbers leased in blocks, so that one is known before the write and without a wait.

A block is durable before its first number is used: no restart and no crash gives one out twice.
What a process leaves unused of its blocks is never used; nor is what is left of a block of orders
or transactions when its month is over (see `months`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, Self

from netvalve.domain.transaction import MessageIdentity
from netvalve.storage.months import MonthFloor

LeaseBlock = Callable[[str, int, int], Awaitable[int]]
"""Takes `size` numbers of a kind, from `floor` on, out of the store; the first, once durable."""

_BLOCK: Final = 1_000
_MESSAGE_BLOCK: Final = 10_000
_STANS: Final = 999_999
"""A terminal's trace numbers: 000001 to 999999."""
_TERMINALS: Final = 1_000_000


class LeasedSequence:
    """The numbers of one kind. The next block is fetched when half of this one is used."""

    def __init__(
        self, name: str, block: int, lease: LeaseBlock, floor: Callable[[], int] = lambda: 0
    ) -> None:
        self._name = name
        self._block = block
        self._lease = lease
        self._floor = floor
        self._next = self._end = 0
        self._under = 0
        self._ahead: list[tuple[int, int]] = []
        self._fetching: asyncio.Task[None] | None = None

    async def next(self) -> int:
        """The next number. Suspends only when the store is slower than the numbers are used.

        Raises:
            StoreUnavailable: no number is left and the store leases none.
        """
        floor = self._floor()
        while self._next == self._end or self._under < floor:
            if self._ahead:
                self._next, self._under = self._ahead.pop()
                self._end = self._next + self._block
            else:
                await asyncio.shield(self._fetch())
        number = self._next
        self._next += 1
        if not self._ahead and self._end - self._next < self._block // 2:
            self._fetch()
        return number

    async def fill(self) -> None:
        """Fetch a block ahead of the first use."""
        await asyncio.shield(self._fetch())

    async def stop(self) -> None:
        """Wait for a block on its way."""
        if self._fetching is not None:
            await asyncio.wait([self._fetching])

    def _fetch(self) -> asyncio.Task[None]:
        """The one fetch under way; begins it where there is none."""
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.get_running_loop().create_task(self._fetched())
            self._fetching.add_done_callback(self._settled)
        return self._fetching

    async def _fetched(self) -> None:
        floor = self._floor()
        self._ahead.append((await self._lease(self._name, self._block, floor), floor))

    def _settled(self, fetching: asyncio.Task[None]) -> None:
        """A failed fetch is told to who waits for it; the next call tries again."""
        if self._fetching is fetching:
            self._fetching = None
        if not fetching.cancelled():
            fetching.exception()


class LeasedIdentifiers:
    """Every kind of number a payment needs, unique for ever over all processes of one store."""

    def __init__(self, lease: LeaseBlock, now_ms: Callable[[], int]) -> None:
        self._lease, self._now_ms = lease, now_ms
        month = MonthFloor(now_ms)
        self._orders = LeasedSequence("order", _BLOCK, lease, month)
        self._transactions = LeasedSequence("transaction", _BLOCK, lease, month)
        self._cards = LeasedSequence("card", _BLOCK, lease)
        self._messages = LeasedSequence("message", _MESSAGE_BLOCK, lease)
        self._all = (self._orders, self._transactions, self._cards, self._messages)
        self._second = -1
        self._transmitted_at = self._hour = ""

    @classmethod
    async def start(cls, lease: LeaseBlock, now_ms: Callable[[], int]) -> Self:
        """With a first block of every kind, so that the first payments wait for none."""
        identifiers = cls(lease, now_ms)
        await asyncio.gather(*(each.fill() for each in identifiers._all))
        return identifiers

    async def apart(self) -> Self:
        """Blocks of their own from the same store, as another process would have them."""
        return await self.start(self._lease, self._now_ms)

    async def stop(self) -> None:
        """Wait for the blocks on their way."""
        for each in self._all:
            await each.stop()

    async def order_id(self) -> int:
        """The next order's number, below 2^53."""
        return await self._orders.next()

    async def transaction_id(self) -> int:
        """The next transaction's number, below 2^53."""
        return await self._transactions.next()

    async def card_id(self) -> int:
        """The next vault row's number, below 2^53."""
        return await self._cards.next()

    async def message_identity(self, now_ms: int) -> MessageIdentity:
        """Fields 7, 11, 37 and 41 of a message never sent before.

        One counter gives terminal and trace number, so no two messages of one store share both
        within 10^12 messages.
        """
        index, offset = divmod(await self._messages.next(), _STANS)
        self._read_clock(now_ms // 1000)
        stan = f"{offset + 1:06d}"
        return MessageIdentity(
            transmitted_at=self._transmitted_at,
            stan=stan,
            rrn=self._hour + stan,
            terminal_id=f"NV{index % _TERMINALS:06d}",
        )

    def _read_clock(self, second: int) -> None:
        """The texts of one second, written once for all its messages."""
        if second != self._second:
            moment = datetime.fromtimestamp(second, UTC)
            self._transmitted_at = moment.strftime("%m%d%H%M%S")
            self._hour = moment.strftime("%Y%j%H")[3:]
            self._second = second
