"""Rate limits as one gateway holds them: what it asks of the store, and what it does without."""

import asyncio

import pytest

from netvalve.domain.allowance import CountedSecond
from netvalve.domain.journal import StoreUnavailable
from netvalve.payments import rate_limits
from netvalve.payments.rate_limits import PATIENCE_S, PAUSE_S, RateLimits
from netvalve.telemetry.metrics import Metrics

CLIENT = 7


class Clock:
    """Time that passes when a test says so."""

    now_s = 1000.0

    def monotonic_s(self):
        return self.now_s

    def now_ms(self):
        raise AssertionError("no second is counted by the wall clock")


class Allowances:
    """Counts as a store does, in seconds of a clock; slow or broken where a test says so."""

    def __init__(self, clock):
        self.clock, self.asked, self.counts = clock, [], {}
        self.fault, self.answers = None, asyncio.Event()
        self.answers.set()

    async def count(self, client_id, more):
        self.asked.append(more)
        if self.fault:
            raise self.fault
        second, gone_s = divmod(self.clock.now_s, 1)
        count = self.counts[client_id, second] = self.counts.get((client_id, second), 0) + more
        await self.answers.wait()
        return CountedSecond(count, 1 - gone_s)


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, event, **fields):
        self.lines.append((event, fields))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def allowances(clock):
    return Allowances(clock)


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def limits(allowances, clock, metrics, log):
    return RateLimits(allowances, clock, metrics, log)


def limited(metrics, result):
    return metrics.registry.get_sample_value("netvalve_requests_limited_total", {"result": result})


async def admitted(limits, count, limit):
    """How many of so many requests at once go on."""
    return sum(await asyncio.gather(*(limits.admit(CLIENT, limit) for _ in range(count))))


async def admitted_in_turn(limits, count, limit):
    return sum([await limits.admit(CLIENT, limit) for _ in range(count)])


async def test_a_second_admits_as_many_as_the_limit_and_the_next_one_again(limits, clock):
    assert await admitted(limits, 50, 5) == 5
    assert await admitted(limits, 50, 5) == 0
    clock.now_s += 1
    assert await admitted_in_turn(limits, 50, 5) == 5


async def test_two_gateways_share_one_limit(allowances, clock, metrics, log):
    nodes = [RateLimits(allowances, clock, metrics, log) for _ in range(2)]
    counts = [await admitted(node, 30, 40) for node in nodes]
    assert counts == [30, 10]


async def test_what_a_gateway_has_fetched_it_spends_without_asking(limits, allowances):
    assert await admitted_in_turn(limits, 50, 1000) == 50
    assert allowances.asked == [50]


async def test_what_is_left_when_the_second_ends_is_lost(limits, allowances, clock):
    await limits.admit(CLIENT, 1000)
    clock.now_s += 1
    await limits.admit(CLIENT, 1000)
    assert allowances.asked == [50, 50]


async def test_a_portion_whose_second_is_over_when_it_comes_is_not_spent(limits, allowances, clock):
    clock.now_s += 0.9
    allowances.answers.clear()
    request = asyncio.create_task(limits.admit(CLIENT, 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.now_s += 0.2
    allowances.answers.set()
    assert await request
    assert await limits.admit(CLIENT, 1) is False
    assert allowances.counts == {(CLIENT, 1000.0): 1, (CLIENT, 1001.0): 2}


async def test_many_who_wait_cost_one_question(limits, allowances):
    assert await admitted(limits, 300, 1000) == 300
    assert allowances.asked == [300]
    await limits.admit(CLIENT, 1000)
    assert allowances.asked == [300, 50]


async def test_who_is_over_the_limit_costs_no_question_until_the_second_ends(limits, allowances):
    await admitted(limits, 10, 5)
    asked = len(allowances.asked)
    assert await admitted(limits, 100, 5) == 0
    assert len(allowances.asked) == asked


async def test_clients_are_counted_apart(limits):
    assert await admitted(limits, 10, 5) == 5
    assert await limits.admit(CLIENT + 1, 5)


async def test_another_limit_holds_from_the_next_request_on(limits):
    assert await admitted(limits, 100, 100) == 100
    assert await admitted(limits, 5, 50) == 0
    assert await admitted(limits, 100, 150) == 45


async def test_a_store_that_fails_stops_no_request(limits, allowances, clock, metrics):
    allowances.fault = StoreUnavailable("away")
    assert await admitted(limits, 20, 5) == 20
    assert limited(metrics, "uncounted") == 20
    assert len(allowances.asked) == 1
    clock.now_s += PAUSE_S
    allowances.fault = None
    assert await admitted(limits, 20, 5) == 5


async def test_a_store_that_failed_is_left_alone_for_a_while(limits, allowances, clock):
    allowances.fault = RuntimeError("whatever it is")
    await limits.admit(CLIENT, 5)
    clock.now_s += PAUSE_S / 2
    await limits.admit(CLIENT, 5)
    assert len(allowances.asked) == 1


async def test_a_store_that_does_not_answer_is_waited_for_but_a_moment(
    limits, allowances, clock, metrics, monkeypatch
):
    monkeypatch.setattr(rate_limits, "PATIENCE_S", 0.01)
    allowances.answers.clear()
    assert await admitted(limits, 20, 5) == 20
    clock.now_s += 0.01
    assert await limits.admit(CLIENT, 5)
    assert limited(metrics, "uncounted") == 21
    assert len(allowances.asked) == 1
    allowances.answers.set()


async def test_answers_that_always_come_too_late_stop_no_request(
    limits, allowances, metrics, monkeypatch
):
    async def late(_client_id, more):
        allowances.asked.append(more)
        return CountedSecond(more, left_s=0)

    monkeypatch.setattr(allowances, "count", late)
    assert await asyncio.wait_for(limits.admit(CLIENT, 5), 1)
    assert limited(metrics, "uncounted") == 1
    assert len(allowances.asked) < 10


async def test_who_leaves_while_it_waits_takes_nobody_s_portion(limits, allowances):
    allowances.answers.clear()
    gone, stays = (asyncio.create_task(limits.admit(CLIENT, 1)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    allowances.answers.set()
    assert await stays


async def test_the_log_hears_of_a_client_over_its_limit_once_a_second(limits, clock, metrics, log):
    await admitted(limits, 50, 5)
    assert log.lines == [("rate_limit_reached", {"client_id": CLIENT, "requests_per_s": 5})]
    assert limited(metrics, "refused") == 45
    clock.now_s += 1
    await admitted(limits, 50, 5)
    assert len(log.lines) == 2


async def test_the_log_hears_of_a_row_of_failures_once(limits, allowances, clock, log):
    allowances.fault = StoreUnavailable("away")
    for _ in range(3):
        await limits.admit(CLIENT, 5)
        clock.now_s += PAUSE_S
    assert log.lines == [("rate_limits_not_held", {"error": "StoreUnavailable"})]
    allowances.fault = None
    await limits.admit(CLIENT, 5)
    allowances.fault = StoreUnavailable("away again")
    clock.now_s += 1
    await limits.admit(CLIENT, 5)
    assert len(log.lines) == 2
    assert PATIENCE_S < PAUSE_S
