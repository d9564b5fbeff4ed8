"""The crowd: merchants who do everything the API can, impatiently, and forget nothing.

Each acts on what it was told alone. It loses answers, tries again, clicks twice, refunds more
than there is, and asks about all of it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Protocol

from netvalve.simulation.told import Told

APPROVED: Final = "GTW_1000"
DUPLICATE: Final = "GTW_2065"
_CARDS: Final = (
    ("4012000098765439", "999"),
    ("6011000993026909", "996"),
    ("371449635392376", "9997"),
    ("4716160000000009", "999"),
)
_DECLINED: Final = "4539390000000510"
_ODD_AMOUNTS: Final = (5005, 5051, 5091, 5096, 6003, 6008, 6012, 6104, 6107, 6114, 6115, 5191, 5105)
"""Amounts by which the test bank is asked for a decline, a fault or a part."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a merchant is, and at which accounts it is paid: midId and currency."""

    name: str
    client_id: str
    api_key: str
    accounts: tuple[tuple[int, str], ...]


class Counter(Protocol):
    """Where requests are handed in."""

    async def ask(
        self,
        who: Identity,
        path: str,
        body: Mapping[str, Any] | None,
        query: str = "",
        key: str | None = None,
    ) -> Told:
        """Ask, and wait as long as a merchant waits."""

    @property
    def storm(self) -> bool:
        """Whether business goes on."""


@dataclass(slots=True)
class Bought:
    """A transaction as the merchant knows it."""

    number: int
    kind: str
    """The path it was asked for by."""
    amount: float


@dataclass(slots=True)
class Merchant:
    """One of the crowd."""

    identity: Identity
    counter: Counter
    dice: Random
    pause_s: float
    bought: list[Bought] = field(default_factory=list)
    seen: dict[int, None] = field(default_factory=dict)
    """Every transaction it has heard of."""
    _orders: int = 0
    _keys: int = 0
    _at_work: "list[asyncio.Task[None]]" = field(default_factory=list)

    async def trade(self) -> None:
        """Do business until the storm is over, then finish what was begun."""
        while self.counter.storm:
            await asyncio.sleep(self.dice.expovariate(1 / self.pause_s))
            act = self.dice.choices(*self._acts())[0]
            self._at_work.append(asyncio.get_running_loop().create_task(act()))
        await asyncio.gather(*self._at_work)

    def _acts(self) -> tuple[list[Callable[[], Any]], list[float]]:
        acts: list[tuple[Callable[[], Any], float]] = [(self._charge, 5)]
        if self.bought:
            acts += [(self._follow, 6), (self._rush, 1), (self._rebill, 1)]
        if self._orders:
            acts.append((self._inquire, 2))
        if self.seen:
            acts.append((self._look_around, 1))
        return [act for act, _ in acts], [weight for _, weight in acts]

    async def _charge(self) -> None:
        path = self.dice.choice(("/sale", "/authorize"))
        mid_id, currency = self.dice.choice(self.identity.accounts)
        amount = self._amount(currency)
        card, code = self.dice.choice(_CARDS)
        body = {
            "midId": mid_id,
            "amount": amount,
            "currency": currency,
            "clientOrderId": self._new_order(),
            "cardNumber": _DECLINED if self.dice.random() < 0.05 else card,
            "cardExpireMonth": "12",
            "cardExpireYear": "2030",
            "cardSecurityCode": code,
        }
        if self.dice.random() < 0.2:
            body["additionalData"] = {"partialAuthorizationIndicator": "true"}
        await self._insist(path, body, amount)

    async def _rebill(self) -> None:
        parent = self._any_bought("/sale", "/authorize")
        if parent is not None:
            amount = self._amount("USD")
            body = {"transactionID": parent.number, "amount": amount}
            await self._insist("/rebill", body | {"clientOrderId": self._new_order()}, amount)

    async def _insist(self, path: str, body: dict[str, Any], amount: float) -> None:
        """Charge, and try again under the same order where the answer is missing."""
        key = self._new_key()
        for _ in range(3):
            answers = await self._clicked(path, body, key)
            self._remember(path, amount, answers)
            if any(told.code == APPROVED for told in answers if told.heard):
                return
            if any(told.code == DUPLICATE for told in answers if told.heard):
                await self._ask("/order", None, f"clientOrderId={body['clientOrderId']}")
                return
            if any(told.heard and told.transaction_id for told in answers):
                if self.dice.random() < 0.5:
                    return
                body = {**body, "clientOrderId": self._new_order()}
                key = self._new_key()
            await asyncio.sleep(self.dice.uniform(0, 5))

    async def _follow(self) -> None:
        """Capture, cancel or refund something, now and then something that cannot be."""
        path = self.dice.choice(("/capture", "/capture", "/cancel", "/refund", "/refund"))
        suited = ("/authorize",) if path != "/refund" else ("/sale", "/capture", "/rebill")
        parent = self._any_bought(*suited) if self.dice.random() < 0.9 else self._any_bought()
        if parent is None:
            return
        body: dict[str, Any] = {"transactionID": parent.number}
        amount = parent.amount
        if path != "/cancel" and self.dice.random() < 0.6:
            amount = self._part_of(parent.amount)
        if path == "/capture":
            body |= {"amount": amount, "captureOptions": {"finalCapture": True}}
        elif path == "/refund" and (amount != parent.amount or self.dice.random() < 0.5):
            body["amount"] = amount
        key = self._new_key()
        answers = await self._clicked(path, body, key)
        self._remember(path, amount, answers)
        if not any(told.heard for told in answers) and self.dice.random() < 0.6:
            await asyncio.sleep(self.dice.uniform(0, 30))
            self._remember(path, amount, [await self._ask(path, body, key=key)])

    async def _rush(self) -> None:
        """Two wishes about one order at once: only one of them can be had, or both in turn."""
        parent = self._any_bought()
        if parent is None:
            return
        wishes: tuple[tuple[str, float | None], ...] = (("/refund", _half(parent.amount)),) * 2
        if parent.kind == "/authorize":
            wishes = (("/capture", parent.amount), ("/cancel", None))
        answers = await asyncio.gather(
            *(self._wish(path, parent, amount) for path, amount in wishes)
        )
        for told in answers:
            self._remember(told.path, parent.amount, [told])

    async def _wish(self, path: str, parent: Bought, amount: float | None) -> Told:
        body: dict[str, Any] = {"transactionID": parent.number}
        return await self._ask(path, body if amount is None else body | {"amount": amount})

    async def _inquire(self) -> None:
        """By any name: who has lost an answer knows its own names alone."""
        names: list[tuple[str, Any]] = []
        if self.seen:
            names.append(("transactionId", self.dice.choice(list(self.seen))))
        if self._orders:
            number = self.dice.randint(1, self._orders)
            names.append(("clientOrderId", f"{self.identity.name}-{number}"))
        if self._keys:
            number = self.dice.randint(max(self._keys - 20, 1), self._keys)
            names.append(("idempotencyKey", f"{self.identity.name}-key-{number}"))
        name, value = self.dice.choice(names)
        if self.dice.random() < 0.5:
            await self._ask("/inquiry", None, f"{name}={value}")
        else:
            await self._ask("/inquiry", {name: value})

    async def _look_around(self) -> None:
        number = self.dice.choice(list(self.seen))
        path, query = self.dice.choice(
            (
                ("/transaction", f"id={number}"),
                ("/order", f"transactionId={number}"),
                ("/orders", "page=0&pageSize=5"),
                ("/export", "page=0&pageSize=5"),
            )
        )
        await self._ask(path, None, query)

    async def _clicked(self, path: str, body: Mapping[str, Any], key: str | None) -> list[Told]:
        """Once, or twice at once."""
        clicks = 2 if self.dice.random() < 0.15 else 1
        return list(await asyncio.gather(*(self._ask(path, body, key=key) for _ in range(clicks))))

    async def _ask(
        self, path: str, body: Mapping[str, Any] | None, query: str = "", key: str | None = None
    ) -> Told:
        told = await self.counter.ask(self.identity, path, body, query, key)
        if told.heard and told.transaction_id is not None:
            self.seen[told.transaction_id] = None
        return told

    def _remember(self, path: str, amount: float, answers: list[Told]) -> None:
        for told in answers:
            number = told.transaction_id
            if told.heard and told.code == APPROVED and number is not None:
                self.bought.append(Bought(number, path, amount))

    def _any_bought(self, *kinds: str) -> Bought | None:
        suited = [each for each in self.bought[-12:] if not kinds or each.kind in kinds]
        return self.dice.choice(suited) if suited else None

    def _amount(self, currency: str) -> float:
        if self.dice.random() < 0.15:
            return float(self.dice.choice(_ODD_AMOUNTS))
        if currency == "JPY":
            return float(self.dice.randrange(1, 4000))
        return self.dice.randrange(1, 400_000) / 100

    def _part_of(self, amount: float) -> float:
        part = amount * self.dice.choice((0.25, 0.5, 0.5, 1.5))
        return max(float(int(part)) if amount == int(amount) else round(part, 2), 1.0)

    def _new_order(self) -> str:
        self._orders += 1
        return f"{self.identity.name}-{self._orders}"

    def _new_key(self) -> str | None:
        """Half of the requests carry one."""
        self._keys += 1
        return f"{self.identity.name}-key-{self._keys}" if self.dice.random() < 0.5 else None


def _half(amount: float) -> float:
    """Half of an amount, in units that its currency has."""
    return float(int(amount / 2)) if amount == int(amount) else int(amount * 50) / 100
