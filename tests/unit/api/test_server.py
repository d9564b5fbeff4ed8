"""The server stops only when what it has taken is answered."""

import asyncio
from typing import Any

import httpx
import pytest
import structlog

from netvalve.api.server import ApiServer
from netvalve.config import Settings
from netvalve.domain.client import Client
from unit.api.face import HEADERS, Face


@pytest.fixture
def server(face: Face, tmp_path: Any) -> ApiServer:
    return ApiServer(face.application, Settings(home=tmp_path, port=0), structlog.get_logger())


async def test_request_in_flight_is_answered_before_the_end(
    face: Face, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(client: Client, command: Any, **_: object) -> Any:
        begun.set()
        await go_on.wait()
        return face.gateway._told(client, command)

    monkeypatch.setattr(face.gateway, "follow_up", slow)
    host, port = await server.start()
    async with httpx.AsyncClient(
        base_url=f"http://{host}:{port}", headers=HEADERS, trust_env=False
    ) as client:
        asked = asyncio.create_task(client.post("/cancel", json={"transactionID": 1}))
        await begun.wait()
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0.2)
        assert not stopping.done()
        with pytest.raises(httpx.ConnectError):
            await client.get("/health/live")
        go_on.set()
        response = await asked
        await stopping
    assert response.status_code == 200
    assert response.headers["connection"] == "close"


async def test_address_in_use_is_an_error_of_the_start(
    face: Face, server: ApiServer, tmp_path: Any
) -> None:
    _, port = await server.start()
    second = ApiServer(face.application, Settings(home=tmp_path, port=port), structlog.get_logger())
    with pytest.raises(OSError, match="in use"):
        await second.start()
    await server.stop()
