"""The operations of an order queue, first come, first served."""

import asyncio

import pytest

from netvalve.payments.turns import Turns


async def test_one_at_a_time_and_in_order():
    turns, log = Turns(), []

    async def take(number):
        async with turns.take(1, 5):
            log.append(("in", number))
            await asyncio.sleep(0)
            log.append(("out", number))

    await asyncio.gather(*(take(number) for number in range(10)))
    assert log == [(way, number) for number in range(10) for way in ("in", "out")]


async def test_who_waits_too_long_hears_it_and_the_holder_goes_on():
    turns = Turns()
    async with turns.take(1, 5):
        with pytest.raises(TimeoutError):
            async with turns.take(1, 0.01):
                pass
    async with turns.take(1, 0.01):
        pass


async def test_other_orders_do_not_wait():
    turns = Turns()
    async with turns.take(1, 5), turns.take(2, 0.01):
        pass


async def test_nothing_is_kept_of_an_order_without_work():
    turns = Turns()
    async with turns.take(1, 5):
        pass
    assert not turns._locks
    assert not turns._wanted
