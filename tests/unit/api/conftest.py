"""Fixtures: the application over a fake gateway, and a client with good credentials."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from unit.api.face import Face, a_face


@pytest.fixture
def face(tmp_path: Path) -> Face:
    """The application, ready for requests."""
    return a_face(tmp_path)


@pytest.fixture
async def api(face: Face) -> AsyncIterator[httpx.AsyncClient]:
    """A client with good credentials."""
    async with face.client() as client:
        yield client
