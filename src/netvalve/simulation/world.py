"""The world of one run: machines, merchants and weather, from the first second to the last."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import quote

import orjson

from netvalve.simulation.bank import SimulatedBank
from netvalve.simulation.checks import Evidence, unended
from netvalve.simulation.chronicle import Chronicle
from netvalve.simulation.door import Answered, Asked
from netvalve.simulation.gateway import SimulatedGateway
from netvalve.simulation.loop import VirtualLoop
from netvalve.simulation.machine import Machine
from netvalve.simulation.merchants import Identity, Merchant
from netvalve.simulation.mishaps import Mishaps
from netvalve.simulation.premises import STORE_FILE
from netvalve.simulation.store import SharedStore
from netvalve.simulation.told import OTHERWISE_S, PATIENCE_S, Told, parsed
from netvalve.simulation.weather import Weather
from netvalve.storage.verification.verification import verify

END_WITHIN_S: Final = 2 * 3600
"""After the storm every transaction has ended within this."""
_LOOK_S: Final = 15.0
_TRIES: Final = 10
"""How often a last question is asked of a gateway that is still starting."""


@dataclass(slots=True)
class World:
    """Everything there is in one run."""

    seed: int
    hours: float
    home: Path
    loop: VirtualLoop
    chronicle: Chronicle
    weather: Weather
    shared: SharedStore | None
    banks: tuple[SimulatedBank, ...]
    gateways: tuple[SimulatedGateway, ...]
    merchants: tuple[Merchant, ...]
    evidence: Evidence
    dice: Random

    @property
    def storm(self) -> bool:
        """Whether business and faults go on."""
        return self.weather.storm

    async def ask(
        self,
        who: Identity,
        path: str,
        body: Mapping[str, Any] | None,
        query: str = "",
        key: str | None = None,
    ) -> Told:
        """A merchant's request to any gateway, and its answer as far as it is heard."""
        told = Told(
            len(self.evidence.told), who.name, self.loop.time(), path, body or {"query": query}, key
        )
        self.evidence.told.append(told)
        gateway = self.dice.choice(self.gateways)
        self.chronicle.note(f"{told.number} asks {who.name} {path} {orjson.dumps(told.request)!r}")
        answer: asyncio.Future[None] = self.loop.create_future()

        def hear(answered: Answered | None) -> None:
            self._told(told, answered)
            if not answer.done() and (answered is None or not self.weather.hits("answer_lost")):
                told.heard = answered is not None
                answer.set_result(None)

        if gateway.door is None:
            return told
        gateway.door.ask(_asked(who, path, body, query, key), hear)
        machine = gateway.machines[-1]
        stood = machine.stalled, machine.stalls
        try:
            async with asyncio.timeout(PATIENCE_S.get(path, OTHERWISE_S)):
                await answer
        except TimeoutError:
            undisturbed = not machine.dead and stood == (False, machine.stalls)
            told.late = undisturbed and told.status is None and path in PATIENCE_S
        return told

    def _told(self, told: Told, answered: Answered | None) -> None:
        if answered is None:
            self.chronicle.note(f"{told.number} breaks off")
            return
        told.status, told.body = answered.status, parsed(answered.body)
        self.chronicle.note(f"{told.number} hears {answered.status} {answered.body!r}")

    async def live(self) -> None:
        """Storm, calm, and the last questions."""
        for bank in self.banks:
            bank.start()
        mishaps = Mishaps(self)
        mishaps.begin()
        trades = [self.loop.create_task(each.trade()) for each in self.merchants]
        await asyncio.sleep(self.hours * 3600)
        self.weather.calm_down()
        self.chronicle.note("the storm is over")
        mishaps.end()
        await asyncio.gather(*trades)
        await self._settle()
        await self._ask_again()
        await mishaps.close()
        self.evidence.settle(self)

    async def _settle(self) -> None:
        """Wait until every transaction has ended, or until none may be open any more."""
        over_s = self.hours * 3600
        for _ in range(round(END_WITHIN_S / _LOOK_S)):
            self.evidence.settled_after_s = self.loop.time() - over_s
            if not unended(self.home / STORE_FILE):
                return
            await asyncio.sleep(_LOOK_S)

    async def _ask_again(self) -> None:
        """Every transaction that any merchant has heard of, once more, until there is an answer."""
        for merchant in self.merchants:
            for number in merchant.seen:
                for _ in range(_TRIES):
                    told = await self.ask(
                        merchant.identity, "/inquiry", None, f"transactionId={number}"
                    )
                    self.evidence.last_words[number] = told
                    if told.code is not None:
                        break
                    await asyncio.sleep(_LOOK_S)

    def machines(self) -> Iterator[Machine]:
        """Every machine that has ever run."""
        for bank in self.banks:
            yield from bank.machines
        for gateway in self.gateways:
            yield from gateway.machines
        if self.shared is not None:
            yield self.shared.machine

    def verify_store(self) -> None:
        """The store's own examination."""
        found = verify(f"sqlite:///{self.home / STORE_FILE}", first=2)
        self.evidence.breaches += [str(each) for each in found.breaches]


def _asked(
    who: Identity, path: str, body: Mapping[str, Any] | None, query: str, key: str | None
) -> Asked:
    headers = [
        (b"netvalve-client-id", who.client_id.encode()),
        (b"netvalve-api-key", who.api_key.encode()),
    ]
    if body is not None:
        headers.append((b"content-type", b"application/json"))
    if key is not None:
        headers.append((b"idempotency-key", key.encode()))
    return Asked(
        "GET" if body is None else "POST",
        path,
        tuple(headers),
        quote(query, safe="=&").encode(),
        b"" if body is None else orjson.dumps(body),
    )
