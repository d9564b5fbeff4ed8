"""Fixtures: the application over a fake gateway, and a client with good credentials."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import httpx
import pytest
import uvloop

from unit.api.face import Face, a_face


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that the gateway serves on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def face(tmp_path: Path) -> Face:
    """The application, ready for requests."""
    return a_face(tmp_path)


@pytest.fixture
async def api(face: Face) -> AsyncIterator[httpx.AsyncClient]:
    """A client with good credentials."""
    async with face.client() as client:
        yield client
