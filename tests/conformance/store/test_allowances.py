"""The requests of limited clients are counted over all gateways of a store, second by second."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
import structlog

from conformance.store.conftest import Starter
from conformance.store.seated import StillClock
from netvalve.payments import rate_limits
from netvalve.payments.ports import Allowances
from netvalve.payments.rate_limits import RateLimits
from netvalve.storage.engine import is_sqlite
from netvalve.telemetry.metrics import Metrics

CLIENT, LIMIT = 7, 40
ENOUGH_S = 0.6
"""For a test that must not be overtaken by the next second."""

NextSecond = Callable[[], Awaitable[None]]


@pytest.fixture
async def nodes(start: Starter, database_url: str) -> list[Allowances]:
    """Three gateways' ways to one store: on SQLite they are in one process."""
    first = await start()
    others = [first] * 2 if is_sqlite(database_url) else [await start(), await start()]
    nodes = [each.store.allowances for each in (first, *others)]
    for node in nodes:  # each connects
        await node.count(CLIENT, 0)
    return nodes


@pytest.fixture
def next_second(nodes: list[Allowances], clock: StillClock) -> NextSecond:
    """Waits until the store's next second has begun."""

    async def begun() -> None:
        left_s = (await nodes[0].count(CLIENT, 0)).left_s
        clock.passed_s += left_s
        await asyncio.sleep(left_s)

    return begun


@pytest.fixture
def gateways(nodes: list[Allowances], monkeypatch: pytest.MonkeyPatch) -> list[RateLimits]:
    """The same gateways, as they judge requests; a busy machine makes none of them give up."""
    monkeypatch.setattr(rate_limits, "PATIENCE_S", 5)
    log = structlog.get_logger(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    return [RateLimits(each, RealClock(), Metrics(), log) for each in nodes]


class RealClock:
    """The process's own."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()


async def test_no_two_gateways_are_given_the_same_count(
    nodes: list[Allowances], next_second: NextSecond
) -> None:
    await next_second()
    answers = await asyncio.gather(*(node.count(CLIENT, 2) for node in nodes * 10))
    assert sorted(each.count for each in answers) == list(range(2, 62, 2))


async def test_a_second_is_counted_from_its_beginning(
    nodes: list[Allowances], next_second: NextSecond
) -> None:
    await nodes[0].count(CLIENT, 5)
    await next_second()
    counted = await nodes[1].count(CLIENT, 3)
    assert (counted.count, counted.left_s > ENOUGH_S) == (3, True)


async def test_clients_are_counted_apart(nodes: list[Allowances], next_second: NextSecond) -> None:
    await next_second()
    await nodes[0].count(CLIENT, 5)
    assert (await nodes[0].count(CLIENT + 1, 1)).count == 1


async def test_gateways_together_let_through_the_limit_and_no_more(
    gateways: list[RateLimits], next_second: NextSecond
) -> None:
    for _ in range(2):
        await next_second()
        admitted = await asyncio.gather(
            *(gateway.admit(CLIENT, LIMIT) for gateway in gateways for _ in range(LIMIT))
        )
        assert sum(admitted) == LIMIT


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_waits_for_another_gateway_is_counted_in_the_second_that_is_then(
    nodes: list[Allowances], next_second: NextSecond, database_url: str
) -> None:
    await next_second()
    await nodes[0].count(CLIENT, 5)
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute("SELECT FROM allowances WHERE client_id = $1 FOR UPDATE", CLIENT)
        waiting = asyncio.create_task(nodes[0].count(CLIENT, 1))
        await asyncio.sleep(1.1)
    counted = await waiting
    await other.close()
    assert (counted.count, counted.left_s > 0) == (1, True)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_no_second_of_the_database_sees_more_than_the_limit(
    gateways: list[RateLimits], next_second: NextSecond
) -> None:
    """Under requests without a pause, through the ends of several seconds."""
    await next_second()
    first, end_s = int(time.time()), time.monotonic() + 2.5
    in_second: dict[int, int] = {}

    async def ask(gateway: RateLimits) -> None:
        while time.monotonic() < end_s:
            if await gateway.admit(CLIENT, LIMIT):
                second = int(time.time()) - first
                in_second[second] = in_second.get(second, 0) + 1
            await asyncio.sleep(0.002)

    await asyncio.gather(*(ask(gateway) for gateway in gateways for _ in range(5)))
    assert in_second == {0: LIMIT, 1: LIMIT, 2: LIMIT}
