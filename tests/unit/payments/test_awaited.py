"""Waiting for the end of transactions: what it costs, who may, and what is left of it after."""

import asyncio
from collections import Counter

import pytest

from making import a_transaction, an_order
from netvalve.domain.journal import StoreUnavailable
from netvalve.domain.lifecycle import State
from netvalve.domain.transaction import TransactionType
from netvalve.payments.awaited import Awaited

ORDER = an_order()


def pending(number=1002, client_id=7):
    capture = a_transaction(
        TransactionType.CAPTURE, State.PENDING, transaction_id=number, client_id=client_id
    )
    return capture, ORDER


def ended(number=1002):
    return a_transaction(TransactionType.CAPTURE, transaction_id=number), ORDER


class Records:
    """Transactions that are pending until they are said to have ended."""

    def __init__(self):
        self.looks, self.ended, self.fault = Counter(), {}, None

    async def transaction(self, _client_id, number):
        self.looks[number] += 1
        if self.fault:
            raise self.fault
        return self.ended.get(number, pending(number))


@pytest.fixture
def records():
    return Records()


@pytest.fixture
def awaited(records):
    return Awaited(records)


async def waiting(awaited, count, *, number=1002, client_id=7, wait_s=5):
    """As many tasks that wait."""
    tasks = [
        asyncio.create_task(awaited.end_of(pending(number, client_id), wait_s))
        for _ in range(count)
    ]
    await asyncio.sleep(0)
    return tasks


async def in_the_end(tasks):
    return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 2)


async def others():
    """The tasks beside the test's own, once what was cancelled is gone."""
    await asyncio.sleep(0.01)
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_however_many_wait_a_transaction_is_looked_at_once_at_a_time(records, awaited):
    crowd = await waiting(awaited, 300)
    await asyncio.sleep(0.25)
    assert 1 <= records.looks[1002] <= 3
    records.ended[1002] = ended()
    assert await in_the_end(crowd) == [ended()] * 300


async def test_many_transactions_are_each_looked_at_less_often(records, awaited):
    crowd = [each for number in range(150) for each in await waiting(awaited, 1, number=number)]
    await asyncio.sleep(0.65)
    assert set(records.looks.values()) <= {1, 2}  # each in 0.3 s; it would be 6 in 0.1 s
    records.ended = {number: ended(number) for number in range(150)}
    assert await in_the_end(crowd) == [ended(number) for number in range(150)]


async def test_who_leaves_takes_nothing_from_the_others(records, awaited):
    gone, stays = await waiting(awaited, 2)
    gone.cancel()
    assert await awaited.end_of(pending(), 0.01) == pending()
    records.ended[1002] = ended()
    assert await in_the_end([stays]) == [ended()]


@pytest.mark.parametrize("leave", ["cancelled", "out of time", "hurried", "answered"])
async def test_nothing_is_left_when_the_last_one_goes(records, awaited, leave):
    tasks = await waiting(awaited, 3, wait_s=0.05 if leave == "out of time" else 5)
    if leave == "cancelled":
        for task in tasks:
            task.cancel()
    elif leave == "hurried":
        awaited.hurry()
    elif leave == "answered":
        records.ended[1002] = ended()
    await in_the_end(tasks)
    assert await others() == []
    seen = records.looks.total()
    await asyncio.sleep(0.15)
    assert records.looks.total() == seen
    assert awaited.admits(7, 1) is (leave != "hurried")


async def test_a_client_holds_no_more_places_than_it_leaves_free(awaited):
    for count in range(5):
        assert awaited.admits(7, 10), count
        await waiting(awaited, 1, number=count)
    assert not awaited.admits(7, 10)
    assert awaited.admits(8, 10)
    tasks = await waiting(awaited, 2, client_id=8)
    assert awaited.admits(8, 10)
    tasks += await waiting(awaited, 1, client_id=8)
    assert not awaited.admits(8, 10)
    assert awaited.admits(9, 10)
    assert not awaited.admits(9, 8)
    awaited.hurry()


async def test_a_place_is_free_again_when_its_holder_goes(awaited):
    first, second = await waiting(awaited, 2)
    assert not awaited.admits(7, 4)
    first.cancel()
    await in_the_end([first])
    assert awaited.admits(7, 4)
    second.cancel()


async def test_a_store_that_goes_away_leaves_everyone_what_was_known(records, awaited):
    crowd = await waiting(awaited, 3)
    records.fault = StoreUnavailable("away")
    assert await in_the_end(crowd) == [pending()] * 3
    records.fault, records.ended[1002] = None, ended()
    assert await awaited.end_of(pending(), 1) == ended()


async def test_a_fault_of_the_looking_reaches_everyone_who_waited(records, awaited):
    crowd = await waiting(awaited, 3)
    records.fault = ValueError("no such column")
    assert await in_the_end(crowd) == [records.fault] * 3
