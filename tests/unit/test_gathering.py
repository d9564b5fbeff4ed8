"""What is written within one turn leaves whole, in order, once; what is aborted does not leave."""

import asyncio

import pytest

from netvalve.gathering import GatheringTransport


class Wire:
    """Where the writes of a transport can be counted."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.ended: str | None = None
        self.reading = True

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def is_closing(self) -> bool:
        return self.ended is not None

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def pause_reading(self) -> None:
        self.reading = False


@pytest.fixture
async def wire() -> Wire:
    return Wire()


@pytest.fixture
async def transport(wire: Wire) -> GatheringTransport:
    return GatheringTransport(wire)  # type: ignore[arg-type]


async def test_the_writes_of_one_turn_are_one(wire: Wire, transport: GatheringTransport) -> None:
    for part in (b"head ", b"body ", b"end"):
        transport.write(part)
    assert wire.sent == []
    await asyncio.sleep(0)
    assert wire.sent == [b"head body end"]
    transport.write(b"next")
    await asyncio.sleep(0)
    assert wire.sent == [b"head body end", b"next"]


async def test_closing_sends_first_what_was_taken(
    wire: Wire, transport: GatheringTransport
) -> None:
    transport.write(b"last words")
    transport.close()
    assert (wire.sent, wire.ended) == ([b"last words"], "closed")
    await asyncio.sleep(0)
    assert wire.sent == [b"last words"]


async def test_aborting_sends_nothing_more(wire: Wire, transport: GatheringTransport) -> None:
    transport.write(b"too late")
    transport.abort()
    await asyncio.sleep(0)
    assert (wire.sent, wire.ended) == ([], "aborted")


async def test_all_else_is_the_transports_own(wire: Wire, transport: GatheringTransport) -> None:
    transport.pause_reading()
    assert not wire.reading
    assert not transport.is_closing()
