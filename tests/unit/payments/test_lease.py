"""A lease holds for less than the store lets it run, and a broken holding is another term."""

import asyncio

import pytest
import structlog

from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.payments.lease import Lease


class Clock:
    """Time that passes when a test says so."""

    now_s = 1000.0

    def monotonic_s(self):
        return self.now_s

    def now_ms(self):
        raise AssertionError("no lease is measured by the wall clock")


class AtStore:
    """The store's side: each renewal takes the next step of the script."""

    def __init__(self, *steps):
        self.steps, self.renewed, self.ended = list(steps), 0, 0

    async def renew(self):
        step = self.steps.pop(0) if self.steps else None
        if isinstance(step, Exception):
            raise step
        if step is not None:
            step()
        self.renewed += 1

    async def end(self):
        self.ended += 1


class Log:
    def __init__(self):
        self.errors = []

    def __getattr__(self, _level):
        return lambda *_arguments, **_fields: None

    def error(self, event, **_fields):
        self.errors.append(event)


@pytest.fixture
def clock():
    return Clock()


def a_lease(at_store, clock, *, lease_s=10, log=None):
    log = log or structlog.get_logger(wrapper_class=structlog.BoundLogger)
    return Lease(at_store, lease_s=lease_s, clock=clock, log=log)


async def test_a_lease_that_was_never_written_holds_nothing(clock):
    lease = a_lease(AtStore(StoreUnavailable("away"), StoreUncertain("lost")), clock)
    assert lease.term is None
    for _ in range(2):
        await lease.renew()
        assert lease.term is None


async def test_it_holds_with_a_margin_before_the_store_lets_it_end(clock):
    lease = a_lease(AtStore(), clock)
    await lease.renew()
    term = lease.term
    clock.now_s += 7.9
    assert lease.holds(term)
    clock.now_s += 0.2
    assert not lease.holds(term)


async def test_it_counts_from_before_the_write_was_begun(clock):
    def slowly():
        clock.now_s += 7

    lease = a_lease(AtStore(slowly), clock)
    await lease.renew()
    assert lease.term is not None
    clock.now_s += 1.1
    assert lease.term is None


async def test_a_write_slower_than_the_lease_gives_none(clock):
    def never():
        clock.now_s += 9

    lease = a_lease(AtStore(never), clock)
    await lease.renew()
    assert lease.term is None


async def test_a_short_lease_keeps_the_least_margin(clock):
    lease = a_lease(AtStore(), clock, lease_s=1)
    await lease.renew()
    clock.now_s += 0.51
    assert lease.term is None


async def test_renewed_in_time_it_is_the_same_term(clock):
    lease = a_lease(AtStore(), clock)
    await lease.renew()
    term = lease.term
    for _ in range(5):
        clock.now_s += 5
        await lease.renew()
    assert lease.holds(term)


async def test_run_out_and_renewed_it_is_another_term(clock):
    lease = a_lease(AtStore(), clock)
    await lease.renew()
    term = lease.term
    clock.now_s += 9
    await lease.renew()
    assert lease.term is not None
    assert not lease.holds(term)


async def test_given_back_it_holds_no_more(clock):
    at_store = AtStore()
    lease = a_lease(at_store, clock)
    await lease.renew()
    await lease.leave()
    assert (lease.term, at_store.ended) == (None, 1)


async def test_it_is_renewed_three_times_a_lease_whatever_fails():
    class Passing:
        def monotonic_s(self):
            return asyncio.get_running_loop().time()

    at_store, log = AtStore(None, StoreUnavailable("away")), Log()
    lease = a_lease(at_store, Passing(), lease_s=1, log=log)
    running = asyncio.create_task(lease.run())
    await asyncio.sleep(0.9)
    assert at_store.renewed >= 4
    assert lease.term == 1
    running.cancel()
    await asyncio.sleep(0.6)
    assert lease.term is None
    assert log.errors == ["lease_ran_out"]


async def test_no_failure_of_a_renewal_ends_the_renewing():
    """Not even one that nobody has foreseen: a lease that nobody renews any more is the end."""

    class Passing:
        def monotonic_s(self):
            return asyncio.get_running_loop().time()

    at_store, log = AtStore(OSError("unforeseen"), None), Log()
    lease = a_lease(at_store, Passing(), lease_s=1, log=log)
    running = asyncio.create_task(lease.run())
    await asyncio.sleep(0.3)
    assert lease.term == 1
    assert not running.done()
    assert log.errors == ["lease_not_renewed"]
    running.cancel()
    await lease.leave()
