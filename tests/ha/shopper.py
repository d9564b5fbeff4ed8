"""The load: merchants that sell, authorize, capture and refund, and remember what they were told.

Each order has its clientOrderId and each request its Idempotency-Key. What went unanswered is
looked up by /inquiry; what was never begun is asked again under the same names.
"""

import asyncio
import time
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx

from e2e.rounds.asking import Asking
from e2e.rounds.call import APPROVED, BUSY, PENDING, Call
from running import CARD

PAUSE_S = (0.05, 0.25)
"""Between two things that a merchant does."""
AGAIN_S = 0.5
"""Before it asks again."""
INSISTS_S = 120.0
"""Longer than any machine is away."""
_UNANSWERED = frozenset({500, 504})
_REFUSED = frozenset({400, 401, 403, 404, 405, 413, 422})
"""Asking again would not help: the drill itself is wrong."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, or its absence, and when: seconds of the monotonic clock."""

    call: Call
    at_s: float

    @property
    def is_sale(self) -> bool:
        """Whether a sale was approved."""
        return self.call.path == "/sale" and self.call.code == APPROVED


class Shopper:
    """One merchant's program, which does one thing after the other."""

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self._asking, self._name = Asking(http), name
        self._chance = Random(name)  # noqa: S311  # what it buys, not who it is
        self._orders = 0
        self.told: list[Told] = []
        self.given_up: list[str] = []
        """Orders and requests without an answer after all that time."""

    async def work(self, stop: asyncio.Event) -> None:
        """Live through one order after the other; the last one is finished."""
        while not stop.is_set():
            self._orders += 1
            await self._order(f"{self._name}-{self._orders}")
            await asyncio.sleep(self._chance.uniform(*PAUSE_S))

    async def _order(self, order: str) -> None:
        amount = self._chance.randint(100, 40_000) / 100
        body = {
            "clientOrderId": order, "midId": 1, "amount": amount, "currency": "USD", **CARD
        }  # fmt: skip
        if self._chance.random() < 0.5:
            charged = await self._charge("/sale", body)
        else:
            charged = await self._charge("/authorize", body)
            if charged is not None:
                await self._follow("/capture", order, charged, amount=amount)
        if charged is not None and self._chance.random() < 0.3:
            await self._follow("/refund", order, charged, amount=round(amount / 2, 2))

    async def _charge(self, path: str, body: dict[str, Any]) -> int | None:
        """Ask until the charge's end is known; its transaction, where it was approved."""
        order = body["clientOrderId"]
        for _ in self._tries(order):
            call = await self._told(self._asking.post(path, body, f"{order}-{path[1:]}"))
            if call.broken or call.status in _UNANSWERED:
                call = await self._found(order) or call
            if call.status == 200:
                return call.transaction_id if call.code == APPROVED else None
            if call.status in _REFUSED:
                return None
            await asyncio.sleep(AGAIN_S)
        return None

    async def _found(self, order: str) -> Call | None:
        """What the gateway knows of an order whose answer was lost; None where it knows none."""
        for _ in self._tries(order):
            call = await self._told(self._asking.get("/inquiry", clientOrderId=order))
            if call.status == 200 and call.code != PENDING:
                return call
            if call.status == 404:
                return None
            await asyncio.sleep(AGAIN_S)
        return None

    async def _follow(self, path: str, order: str, transaction_id: int, amount: float) -> None:
        """Ask for one operation on an order, under one key, until it has been answered."""
        body = {"transactionID": transaction_id, "amount": amount}
        for _ in self._tries(f"{order}-{path[1:]}"):
            call = await self._told(self._asking.post(path, body, f"{order}-{path[1:]}"))
            if call.status in _REFUSED or (call.status == 200 and call.code != BUSY):
                return
            await asyncio.sleep(AGAIN_S)

    def _tries(self, what: str) -> Iterator[None]:
        """Once and again, for as long as a merchant has patience."""
        end_s = time.monotonic() + INSISTS_S
        while time.monotonic() < end_s:
            yield
        self.given_up.append(what)

    async def _told(self, asking: Awaitable[Call]) -> Call:
        await asking
        call = self._asking.calls[-1]
        self.told.append(Told(call, time.monotonic()))
        return call
