"""The load: merchants that sell, capture, refund, ask and try again, until they are told to stop.

Each keeps every answer it has had. All choices come from one seed; their timing does not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

import httpx

from e2e.rounds.asking import Asking
from e2e.rounds.call import APPROVED, DUPLICATE, Call
from running import CARD, DECLINED_CARD

ODD_AMOUNTS = (
    *(5005, 5051, 6002, 6003, 6004, 6005, 6006, 6007, 6008, 6009, 6010, 6012, 6013, 6014, 6015),
    *(5105, 5191, 5196, 6102, 6103, 6104, 6105, 6106, 6107, 6110, 6113, 6114, 6115),
)
"""Amounts that ask the bank for a code or a fault; 6001 and 6101 stay unknown for ever."""
ODD_SHARE = 0.12
DECLINED_SHARE = 0.05
KEYED_SHARE = 0.3
"""How many requests carry an Idempotency-Key."""
HASTY_SHARE = 0.15
"""How many charges a merchant hangs up on, and tries again."""
HASTE_S = (0.005, 0.2)


class Merchant:
    """One program that does one thing after the other."""

    def __init__(self, http: httpx.AsyncClient, name: str, chance: Random) -> None:
        self._asking, self._name, self._chance = Asking(http), name, chance
        self._orders = self._keys = 0
        self._sold: list[int] = []

    @property
    def calls(self) -> Sequence[Call]:
        """Everything it has asked, and heard."""
        return self._asking.calls

    async def work(self, stop: asyncio.Event) -> None:
        """Live through one order after the other; the last one is finished."""
        stories: tuple[Callable[[], Awaitable[None]], ...] = (
            self._sale, self._sale, self._authorization, self._authorization, self._rebill,
            self._enquiry,
        )  # fmt: skip
        while not stop.is_set():
            await self._chance.choice(stories)()

    async def sell(self) -> Call:
        """One plain sale."""
        order = {"clientOrderId": self._name, "midId": 1, "amount": 1, "currency": "USD", **CARD}
        return await self._asking.post("/sale", order)

    async def _sale(self) -> None:
        amount = self._amount()
        sold = await self._charge("/sale", self._with_card(amount))
        if sold is None:
            return
        self._sold.append(sold)
        if self._happens(0.5):
            await self._follow("/refund", sold, amount=_part(amount, self._chance.randint(1, 3)))
        if self._happens(0.2):
            await asyncio.gather(
                self._follow("/refund", sold),
                self._follow("/refund", sold, amount=_part(amount, 2)),
            )

    async def _authorization(self) -> None:
        amount = self._amount()
        held = await self._charge("/authorize", self._with_card(amount))
        if held is None:
            return
        match self._chance.randrange(6):
            case 0:
                await self._follow("/cancel", held)
            case 1:
                await self._follow(
                    "/capture", held, amount=_part(amount, 2), captureOptions={"finalCapture": True}
                )
                await self._follow("/refund", held, amount=_part(amount, 4))
            case 2:
                await asyncio.gather(
                    self._follow("/capture", held, amount=amount), self._follow("/cancel", held)
                )
            case 3 | 4:
                await self._follow("/capture", held, amount=amount)
            case _:
                pass  # stays held

    async def _rebill(self) -> None:
        if self._sold:
            parent = self._chance.choice(self._sold)
            await self._charge("/rebill", {"transactionID": parent, "amount": self._amount()})

    async def _enquiry(self) -> None:
        if self._sold:
            await self._asking.get("/inquiry", transactionId=self._chance.choice(self._sold))
            await self._asking.get("/orders", pageSize=5)

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share

    def _amount(self) -> float:
        if self._happens(ODD_SHARE):
            return self._chance.choice(ODD_AMOUNTS)
        return self._chance.randint(100, 40_000) / 100

    def _with_card(self, amount: float) -> dict[str, Any]:
        card = dict(CARD)
        if self._happens(DECLINED_SHARE):
            card["cardNumber"] = DECLINED_CARD
        partial = self._happens(0.5)
        return {
            "midId": 1,
            "amount": amount,
            "currency": "USD",
            "additionalData": {"partialAuthorizationIndicator": partial},
            **card,
        }

    async def _charge(self, path: str, body: dict[str, Any]) -> int | None:
        """Try under one clientOrderId until there is an answer; the transaction, if approved."""
        self._orders += 1
        body["clientOrderId"] = f"{self._name}-{self._orders}"
        waits_s = self._chance.uniform(*HASTE_S) if self._happens(HASTY_SHARE) else None
        call = await self._asking.insist(path, body, self._key_or_none(), waits_s)
        if call.code == DUPLICATE:
            return await self._found(body["clientOrderId"])
        return call.transaction_id if call.code == APPROVED else None

    async def _found(self, order: str) -> int | None:
        """What became of an order whose answer was lost."""
        shown = await self._asking.get("/order", clientOrderId=order)
        found = shown.answer if shown.status == 200 else None
        return found["transactionID"] if found and found["responseCode"] == APPROVED else None

    async def _follow(self, path: str, transaction_id: int, **fields: object) -> None:
        """One operation on an order. With a key until it is answered; else once more if need be."""
        body = {"transactionID": transaction_id, **fields}
        if key := self._key_or_none():
            await self._asking.insist(path, body, key)
        elif (await self._asking.post(path, body)).answer_lost:
            await self._asking.post(path, body)

    def _key_or_none(self) -> str | None:
        if not self._happens(KEYED_SHARE):
            return None
        self._keys += 1
        return f"{self._name}-{self._keys}"


def _part(amount: float, parts: int) -> float:
    return round(amount / parts, 2)
