"""Banks on production's event loop; what is rough is done to Python's own loop too."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop

from conformance.testbank.talking import Line, RunningBank, running_bank


def pytest_asyncio_loop_factories(
    config: pytest.Config,  # noqa: ARG001  # pytest matches hook arguments by name
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    factories = {"uvloop": uvloop.new_event_loop}
    if item.path.name == "test_robustness.py":
        factories["asyncio"] = asyncio.new_event_loop
    return factories


@pytest_asyncio.fixture(loop_scope="module")
async def bank(tmp_path: Path) -> AsyncIterator[RunningBank]:
    """A bank with an empty book."""
    async with running_bank(tmp_path) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningBank]:
    """A bank for tests that look at nothing but their own messages."""
    async with running_bank(tmp_path_factory.mktemp("bank")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def line(bank: RunningBank) -> AsyncIterator[Line]:
    opened = await bank.line()
    yield opened
    opened.close()
