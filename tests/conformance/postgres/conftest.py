"""A store that reaches its database over a line which can be cut."""

from collections.abc import AsyncIterator

import pytest

from conformance.postgres.line import Line
from conformance.store.samples import NOW_MS
from conformance.store.seated import SeatedStore, StillClock, started


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
