"""Leased numbers: fetched ahead, in no one's way, and asked for again after a failure."""

import asyncio

import pytest

from netvalve.storage.identifiers import LeasedIdentifiers, LeasedSequence


class Leases:
    """Hands out blocks; breaks or stalls on demand."""

    def __init__(self) -> None:
        self.next = 1
        self.asked = 0
        self.broken = False
        self.open = asyncio.Event()
        self.open.set()

    async def lease(self, _name: str, size: int, floor: int) -> int:
        self.asked += 1
        await self.open.wait()
        if self.broken:
            raise OSError("no disk")
        first = max(self.next, floor)
        self.next = first + size
        return first


async def test_the_next_block_comes_before_this_one_ends() -> None:
    leases = Leases()
    sequence = LeasedSequence("order", 10, leases.lease)
    await sequence.fill()
    leases.open.clear()
    taken = [await asyncio.wait_for(sequence.next(), 1) for _ in range(10)]
    assert taken == list(range(1, 11))
    await asyncio.sleep(0)  # the fetch has begun behind the scenes
    assert leases.asked == 2
    leases.open.set()
    assert await sequence.next() == 11


async def test_many_callers_at_an_empty_block_share_one_fetch() -> None:
    leases = Leases()
    sequence = LeasedSequence("order", 100, leases.lease)
    numbers = await asyncio.gather(*(sequence.next() for _ in range(40)))
    assert sorted(numbers) == list(range(1, 41))
    assert leases.asked == 1


async def test_a_failed_fetch_is_told_and_then_tried_again() -> None:
    leases = Leases()
    leases.broken = True
    sequence = LeasedSequence("order", 10, leases.lease)
    with pytest.raises(OSError, match="no disk"):
        await sequence.next()
    leases.broken = False
    assert await sequence.next() == 1


async def test_a_caller_that_gives_up_does_not_lose_the_block() -> None:
    leases = Leases()
    leases.open.clear()
    sequence = LeasedSequence("order", 10, leases.lease)
    caller = asyncio.create_task(sequence.next())
    await asyncio.sleep(0)
    caller.cancel()
    leases.open.set()
    assert await sequence.next() == 1


async def test_what_is_left_of_a_month_s_blocks_is_not_used_in_the_next() -> None:
    leases = Leases()
    month = [261_100_000_000_000]
    sequence = LeasedSequence("order", 10, leases.lease, lambda: month[0])
    await sequence.fill()
    assert [await sequence.next() for _ in range(7)][-1] == month[0] + 6
    await asyncio.sleep(0)  # the block ahead is there by now
    month[0] = 261_200_000_000_000
    assert await sequence.next() == month[0]


async def test_trace_numbers_run_to_the_end_and_go_on_at_the_next_terminal() -> None:
    leases = Leases()
    leases.next = 999_997
    identifiers = LeasedIdentifiers(leases.lease, lambda: 0)
    identities = [await identifiers.message_identity(0) for _ in range(3)]
    assert [(each.terminal_id, each.stan) for each in identities] == [
        ("NV000000", "999998"),
        ("NV000000", "999999"),
        ("NV000001", "000001"),
    ]
    assert identities[2].rrn == "000100000001"
    assert identities[2].transmitted_at == "0101000000"
