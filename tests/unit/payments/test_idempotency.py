"""A request with a known key is not done again; with another body it is refused."""

import asyncio
from dataclasses import replace

import pytest

from making import a_transaction, an_order
from netvalve.domain.journal import KeyedTransaction, StoreUnavailable
from netvalve.payments.forgetting import AT_ONCE, Forgetting
from netvalve.payments.idempotency import (
    Idempotency,
    KeyBusy,
    KeyMismatch,
    Replayed,
    differing_fields,
)

LIFE_MS = 1_000


class Clock:
    def __init__(self):
        self.at_ms = 10_000

    def now_ms(self):
        return self.at_ms


class Keys:
    """What keys have opened; every call may fail as told."""

    def __init__(self):
        self.known, self.broken, self.ended, self.asked = {}, None, [], []

    async def of_key(self, client_id, key, since_ms):
        if self.broken:
            raise self.broken
        found = self.known.get((client_id, key))
        return found if found and found.keyed.created_at_ms >= since_ms else None

    async def forget(self, before_ms, limit):
        self.asked.append((before_ms, limit))
        return self.ended.pop(0) if self.ended else 0


class Digests:
    def of_field(self, client_id, name, value):
        return f"{client_id} {name} {value.decode()}"


class Work:
    """A payment that counts how often it is made, and can be held up."""

    def __init__(self, held=False):
        self.done, self.free = 0, asyncio.Event()
        if not held:
            self.free.set()

    async def __call__(self):
        self.done += 1
        await self.free.wait()
        return "answer"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys():
    return Keys()


@pytest.fixture
def idempotency(keys, clock):
    return Idempotency(keys, Digests(), clock, LIFE_MS)


def asked(idempotency, key="K", operation="/sale", client_id=7, **fields):
    said = {"amount": b"12.5", **fields}
    return idempotency.keyed(client_id, key, operation, said)


def remember(keys, keyed):
    """What the opening write has stored, and the closing write filled in."""
    opened = KeyedTransaction(keyed, a_transaction(), an_order())
    keys.known[keyed.client_id, keyed.key] = opened
    return Replayed(opened.transaction, opened.order)


async def test_an_unknown_key_is_worked_for(idempotency):
    work = Work()
    assert await idempotency.once(asked(idempotency), work) == "answer"
    assert work.done == 1


async def test_what_a_key_has_opened_is_told_again_and_nothing_is_done(idempotency, keys):
    first, work = remember(keys, asked(idempotency)), Work()
    assert await idempotency.once(asked(idempotency), work) == first
    assert work.done == 0


async def test_a_known_key_with_another_body_names_what_differs(idempotency, keys):
    remember(keys, asked(idempotency, cardNumber=b"4012", currency=b"USD"))
    other = asked(idempotency, amount=b"13", orderDesc=b"shoes", cardNumber=b"4012")
    work = Work()
    assert await idempotency.once(other, work) == KeyMismatch(("amount", "currency", "orderDesc"))
    assert work.done == 0


async def test_a_known_key_on_another_path_is_another_request(idempotency, keys):
    remember(keys, asked(idempotency))
    other = asked(idempotency, operation="/authorize")
    assert await idempotency.once(other, Work()) == KeyMismatch(("operation",))


async def test_a_request_that_is_being_answered_is_neither_done_again_nor_waited_for(idempotency):
    work = Work(held=True)
    first = asyncio.create_task(idempotency.once(asked(idempotency), work))
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        busy = await idempotency.once(asked(idempotency), work)
        other = await idempotency.once(asked(idempotency, amount=b"1"), work)
    assert (busy, other) == (KeyBusy(), KeyMismatch(("amount",)))
    work.free.set()
    assert await first == "answer"
    assert work.done == 1


async def test_two_clients_and_two_keys_do_not_meet(idempotency, keys):
    remember(keys, asked(idempotency))
    for other in (asked(idempotency, key="k"), asked(idempotency, client_id=8)):
        assert await idempotency.once(other, Work()) == "answer"


async def test_a_key_that_opened_nothing_is_free_again(idempotency):
    """A refusal keeps nothing; the next body may be another one."""
    for amount in (b"0", b"12"):
        assert await idempotency.once(asked(idempotency, amount=amount), Work()) == "answer"


async def test_a_key_is_free_when_its_request_fails_or_is_left(idempotency):
    async def unavailable():
        raise StoreUnavailable("not begun")

    with pytest.raises(StoreUnavailable):
        await idempotency.once(asked(idempotency), unavailable)
    left = asyncio.create_task(idempotency.once(asked(idempotency), Work(held=True)))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    assert await idempotency.once(asked(idempotency), Work()) == "answer"


async def test_nothing_is_done_while_keys_cannot_be_looked_up(idempotency, keys):
    keys.broken, work = StoreUnavailable("away"), Work()
    with pytest.raises(StoreUnavailable):
        await idempotency.once(asked(idempotency), work)
    assert work.done == 0
    keys.broken = None
    assert await idempotency.once(asked(idempotency), work) == "answer"


async def test_a_key_ends_with_its_life(idempotency, keys, clock):
    first = remember(keys, asked(idempotency))
    clock.at_ms += LIFE_MS
    assert await idempotency.once(asked(idempotency), Work()) == first
    clock.at_ms += 1
    assert await idempotency.once(asked(idempotency), Work()) == "answer"


def test_a_field_differs_where_only_one_request_has_it(idempotency):
    first, other = asked(idempotency), asked(idempotency, currency=b"USD")
    assert differing_fields(first, other) == differing_fields(other, first) == ("currency",)
    assert differing_fields(first, replace(first, key="other", created_at_ms=0)) == ()


async def test_forgetting_goes_on_until_nothing_is_left_that_has_ended(idempotency, keys, clock):
    keys.ended = [AT_ONCE, AT_ONCE, 3, 99]
    await Forgetting(keys, idempotency, log=None).forget()
    assert keys.asked == [(clock.at_ms - LIFE_MS, AT_ONCE)] * 3


@pytest.mark.parametrize("failure", [StoreUnavailable("away"), OSError("unforeseen")])
async def test_no_failure_ends_the_forgetting(failure, idempotency, keys):
    said, forgot = [], asyncio.Event()
    failures = [failure]

    async def forget(_before_ms, _limit):
        if failures:
            raise failures.pop()
        forgot.set()
        return 0

    class Log:
        def warning(self, event, **_fields):
            said.append(event)

        error = warning

    keys.forget = forget
    task = asyncio.create_task(Forgetting(keys, idempotency, Log(), pause_s=0).run())
    await asyncio.wait_for(forgot.wait(), 1)
    task.cancel()
    assert said == ["forgetting_waits"]
