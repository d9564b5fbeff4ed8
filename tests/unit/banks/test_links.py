"""The directory says which links there are and where they lead; payments only use them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from netvalve.banks.links import BankLinks
from netvalve.domain.bank_message import BankOutcome, BankRequest, NotSent
from netvalve.domain.client import BankCapability, BankProfile

TSYS = BankProfile(1, "TSYS", frozenset(BankCapability), "GTW_2052", "127.0.0.1", 9001)
EPX = BankProfile(2, "EPX", frozenset(), "GTW_2090", "127.0.0.1", 9002)
MOVED = replace(TSYS, port=9003)


@dataclass(eq=False)
class Recorded:
    """A link that writes down what happens to it, and is drained when the test says so."""

    profile: BankProfile
    acts: list[str] = field(default_factory=list)
    nothing_in_flight: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def ready(self) -> bool:
        return self.acts == ["start"]

    async def start(self) -> None:
        self.acts.append("start")

    async def drain(self) -> None:
        self.acts.append("drain")
        await self.nothing_in_flight.wait()

    async def stop(self) -> None:
        self.acts.append("stop")

    async def send(self, _request: BankRequest, _deadline_s: float) -> BankOutcome:
        return NotSent("a recorded link sends nothing")


class Recording:
    """Links to banks, with every link that was ever made."""

    def __init__(self) -> None:
        self.made: list[Recorded] = []
        self.links = BankLinks(self._make)

    def _make(self, profile: BankProfile) -> Recorded:
        self.made.append(Recorded(profile))
        return self.made[-1]

    async def follow(self, *profiles: BankProfile) -> None:
        self.links.follow(profiles)
        await settled()

    @property
    def acts(self) -> list[list[str]]:
        return [link.acts for link in self.made]


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@asynccontextmanager
async def recording(*profiles: BankProfile) -> AsyncIterator[Recording]:
    made = Recording()
    await made.follow(*profiles)
    yield made
    await made.links.stop()


async def test_every_bank_of_the_directory_is_connected_to_at_once() -> None:
    async with recording(TSYS) as banks:
        await banks.follow(TSYS, EPX)
        assert [link.profile for link in banks.made] == [TSYS, EPX]
        assert banks.acts == [["start"], ["start"]]


@pytest.mark.parametrize(
    "change", [{"capabilities": frozenset()}, {"unreachable_code": "GTW_2090"}, {"name": "Elavon"}]
)
async def test_change_that_leaves_the_address_leaves_the_link(change: dict[str, Any]) -> None:
    async with recording(TSYS) as banks:
        changed = replace(TSYS, **change)
        await banks.follow(changed)
        assert banks.links.link(changed) is banks.links.link(TSYS)
        assert banks.acts == [["start"]]
        assert banks.links.readiness() == {changed.name: True}


@pytest.mark.parametrize("change", [{"host": "127.0.0.2"}, {"port": 9003}])
async def test_other_address_gets_a_new_link_and_the_old_one_ends_what_it_has_in_flight(
    change: dict[str, Any],
) -> None:
    async with recording(TSYS) as banks:
        await banks.follow(replace(TSYS, **change))
        assert banks.acts == [["start", "drain"], ["start"]]
        banks.made[0].nothing_in_flight.set()
        await settled()
        assert banks.acts == [["start", "drain", "stop"], ["start"]]


async def test_payment_planned_under_an_older_snapshot_takes_the_new_link_and_moves_nothing() -> (
    None
):
    async with recording(TSYS) as banks:
        await banks.follow(MOVED)
        assert banks.links.link(TSYS) is banks.links.link(MOVED) is banks.made[1]
        assert len(banks.made) == 2


async def test_bank_that_is_gone_is_left_after_what_it_has_in_flight() -> None:
    async with recording(TSYS, EPX) as banks:
        await banks.follow(EPX)
        assert banks.acts == [["start", "drain"], ["start"]]
        assert banks.links.readiness() == {"EPX": True}


async def test_bank_without_a_link_gets_one_when_it_is_asked_for() -> None:
    async with recording() as banks:
        assert banks.links.link(TSYS) is banks.links.link(TSYS)
        await settled()
        assert banks.acts == [["start"]]


async def test_stopping_ends_every_link_and_waits_for_nothing_in_flight() -> None:
    async with recording(TSYS, EPX) as banks:
        await banks.follow(MOVED, EPX)
    assert banks.acts == [["start", "drain", "stop"], ["start", "stop"], ["start", "stop"]]
