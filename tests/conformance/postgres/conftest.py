"""A store that reaches its database over a line which can be cut; two that share a database."""

from collections.abc import AsyncIterator
from functools import partial

import asyncpg
import pytest

from conformance.postgres.line import Line
from conformance.postgres.nodes import Locks, Nodes
from conformance.store.conftest import Passing, Pay
from conformance.store.samples import NOW_MS, Payment
from conformance.store.seated import SeatedStore, StillClock, age_leases, started


@pytest.fixture
async def line(postgres_url: str) -> AsyncIterator[Line]:
    """A line to a fresh database."""
    async with Line(postgres_url) as line:
        yield line


@pytest.fixture
async def store(line: Line) -> AsyncIterator[SeatedStore]:
    """A store with one gateway on it, at the other end of the line."""
    store = await started(line.url, StillClock(NOW_MS))
    yield store
    await store.stop()


@pytest.fixture
def pay(store: SeatedStore) -> Pay:
    """Opens a payment and closes it as approved."""

    async def paid(payment: Payment) -> Payment:
        assert await store.journal.open(payment.opening) is None
        assert await store.journal.close(payment.closing())
        return payment

    return paid


@pytest.fixture
async def nodes(postgres_url: str) -> AsyncIterator[Nodes]:
    """Two gateways with connections of their own."""
    first = await started(postgres_url, StillClock(NOW_MS), "first")
    second = await started(postgres_url, StillClock(NOW_MS), "second")
    yield first, second
    await first.stop()
    await second.stop()


@pytest.fixture
async def locks(postgres_url: str) -> AsyncIterator[Locks]:
    """The locks of the nodes' database, watched through a connection of its own."""
    watching = await asyncpg.connect(postgres_url)
    yield Locks(postgres_url, watching)
    await watching.close()


@pytest.fixture
def pass_s(postgres_url: str) -> Passing:
    """Lets time pass for the leases."""
    return partial(age_leases, postgres_url, StillClock(NOW_MS))
