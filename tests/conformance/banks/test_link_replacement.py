"""A link is replaced without a message being lost: the new one waits, the old one drains."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from conformance.banks.linking import Linked, linked, until
from conformance.banks.scripted_peer import ScriptedPeer, ignore
from netvalve.banks.links import BankLinks
from netvalve.domain.bank_message import Answered, BankOutcome, NoAnswer, NotSent
from netvalve.domain.client import BankProfile
from netvalve.telemetry.metrics import Metrics
from unit.banks.bank_requests import bank_request, identity


class Gateway:
    """The links to one bank that moves from peer to peer."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.links = BankLinks(
            lambda profile: Linked(profile.port, metrics=self.metrics, connections=2).bank
        )

    def follow(self, peer: ScriptedPeer) -> None:
        self.links.follow([profile_of(peer)])

    async def send(self, peer: ScriptedPeer, stan: int, seconds: float = 2) -> BankOutcome:
        """Send as a payment does that was planned while the bank was at that peer."""
        deadline_s = asyncio.get_running_loop().time() + seconds
        link = self.links.link(profile_of(peer))
        return await link.send(bank_request(identity=identity(stan)), deadline_s)

    @property
    def measured_ready(self) -> float | None:
        return self.metrics.registry.get_sample_value("netvalve_bank_ready", {"bank": "TSYS"})


def profile_of(peer: ScriptedPeer) -> BankProfile:
    return BankProfile(1, "TSYS", frozenset(), "GTW_2052", "127.0.0.1", peer.port)


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    made = Gateway()
    try:
        yield made
    finally:
        await made.links.stop()


async def test_first_message_on_a_new_link_waits_for_its_connection() -> None:
    async with ScriptedPeer() as peer, gateway() as banks:
        assert isinstance(await banks.send(peer, 1), Answered)


async def test_first_message_waits_no_longer_than_a_moment_for_a_bank_that_is_not_there() -> None:
    async with ScriptedPeer() as peer:
        pass
    async with gateway() as banks, asyncio.timeout(1):
        assert isinstance(await banks.send(peer, 1), NotSent)


async def test_messages_in_flight_are_answered_after_the_bank_has_moved() -> None:
    async with ScriptedPeer(payment=ignore) as before, ScriptedPeer() as after, gateway() as banks:
        banks.follow(before)
        sends = [asyncio.create_task(banks.send(before, stan)) for stan in range(4)]
        await until(lambda: len(before.payments) == 4)
        banks.follow(after)
        assert isinstance(await banks.send(after, 5), Answered)
        assert isinstance(await banks.send(before, 6), Answered)
        assert [message.fields["11"] for message in after.payments] == ["000005", "000006"]
        for connection in before.connections:
            for message in before.payments:
                connection.answer(message)
        outcomes = await asyncio.gather(*sends)
        assert {type(outcome) for outcome in outcomes} == {Answered}
        await until(lambda: not before.connections)
        assert banks.links.readiness() == {"TSYS": True}
        assert banks.measured_ready == 1


async def test_link_that_drains_takes_no_message_and_waits_until_the_last_deadline() -> None:
    async with ScriptedPeer(payment=ignore) as peer, linked(peer) as link:
        sends = [
            asyncio.create_task(link.send(stan, seconds=seconds))
            for stan, seconds in enumerate((0.05, 0.15))
        ]
        await until(lambda: len(peer.payments) == 2)
        drained = asyncio.create_task(link.bank.drain())
        await asyncio.sleep(0)
        assert isinstance(await link.send(3), NotSent)
        assert isinstance(await sends[0], NoAnswer)
        assert not drained.done()
        assert isinstance(await sends[1], NoAnswer)
        async with asyncio.timeout(1):
            await drained
    assert len(peer.payments) == 2


async def test_idle_link_is_drained_at_once() -> None:
    async with ScriptedPeer() as peer, linked(peer) as link, asyncio.timeout(1):
        await link.bank.drain()


async def test_stopping_does_not_wait_for_a_link_that_drains() -> None:
    async with ScriptedPeer(payment=ignore) as before, ScriptedPeer() as after:
        async with gateway() as banks, asyncio.timeout(2):
            banks.follow(before)
            send = asyncio.create_task(banks.send(before, 1, seconds=60))
            await until(lambda: before.payments)
            banks.follow(after)
            await asyncio.sleep(0.02)
            await banks.links.stop()
            assert isinstance(await send, NoAnswer)
        await until(lambda: not before.connections + after.connections)
