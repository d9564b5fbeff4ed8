"""A connection stays open only for one who sends, reads, or asks again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import orjson
import pytest
import structlog

from netvalve.api import protocol
from netvalve.api.descriptors import connections_allowed
from netvalve.api.server import ApiServer
from netvalve.config import Settings
from netvalve.domain.columns import TransactionColumns
from netvalve.domain.order import Order
from netvalve.domain.search import Page, PageRequest
from unit.api.face import HEADERS, Face

OWN = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
LIVE = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def server(face: Face, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    """One with little patience and room for two."""
    monkeypatch.setattr(protocol, "HEAD_WITHIN_S", 0.2)
    monkeypatch.setattr(protocol, "TAKEN_WITHIN_S", 0.3)
    settings = Settings(home=tmp_path, port=0, connections_max=2)
    return ApiServer(face.application, settings, structlog.get_logger())


@pytest.fixture
async def address(server: ApiServer) -> AsyncIterator[tuple[str, int]]:
    """Where it listens."""
    yield await server.start()
    await asyncio.wait_for(server.stop(), 3)


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(2):
        return await reader.read()


def status(answer: bytes) -> int:
    return int(answer.split()[1])


async def test_connection_without_a_byte_is_closed(address: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*address)
    assert await read_to_end(reader) == b""
    writer.close()


@pytest.mark.parametrize("half", [b"POST /sale HTT", b"POST /sale HTTP/1.1\r\nhost: x\r\nx: "])
async def test_head_that_does_not_end_is_given_up(address: tuple[str, int], half: bytes) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(half)
    answer = await read_to_end(reader)
    assert status(answer) == 408
    assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["responseCode"] == "GTW_2013"
    writer.close()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health/live HTTP/1.1\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nhost: x\r\nHOST: y\r\n\r\n",
        b"GET /health/live HTTP/1.0\r\nhost: x\r\nhost: x\r\n\r\n",
        b"GET /health/live HTTP/2.0\r\nhost: x\r\n\r\n",
        b"GET /health/live HTTP/0.9\r\nhost: x\r\n\r\n",
        LIVE + b"GET /health/live HTTP/1.1\r\n\r\n",
    ],
)
async def test_head_that_names_no_host_or_two_or_a_version_not_spoken_is_broken(
    address: tuple[str, int], head: bytes
) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(head)
    answer = await read_to_end(reader)
    if head.startswith(LIVE):
        assert (status(answer), answer.count(b"HTTP/1.1")) == (200, 1)
    else:
        assert status(answer) == 400
        assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["responseCode"] == "GTW_2013"
    writer.close()


async def test_head_of_the_first_http_needs_no_host(address: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"GET /health/live HTTP/1.0\r\n\r\n")
    assert status(await read_to_end(reader)) == 200
    writer.close()


async def test_later_head_that_does_not_end_is_given_up(address: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(LIVE)
    await reader.readuntil(b'"UP"}')
    await asyncio.sleep(0.3)
    writer.write(LIVE)  # what is between two requests has another limit
    await reader.readuntil(b'"UP"}')
    writer.write(b"\r\n")
    await asyncio.sleep(0.05)
    writer.write(b"GET /hea")
    assert status(await read_to_end(reader)) == 408
    writer.close()


async def test_body_that_goes_on_after_its_answer_is_given_up(address: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"POST /sale HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
    writer.write(b"{")
    assert status(await reader.readuntil(b"\r\n\r\n")) == 401
    writer.write(b" ")
    await read_to_end(reader)
    writer.close()


async def test_one_connection_too_many_is_told_so(address: tuple[str, int]) -> None:
    taken: list[Connection] = [await asyncio.open_connection(*address) for _ in range(2)]
    reader, writer = await asyncio.open_connection(*address)
    answer = await read_to_end(reader)
    assert status(answer) == 503
    assert b"retry-after: 1\r\n" in answer
    assert orjson.loads(answer.partition(b"\r\n\r\n")[2])["responseCode"] == "GTW_9999"
    for _, each in (*taken, (reader, writer)):
        each.close()
        await each.wait_closed()
    await asyncio.sleep(0.05)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(LIVE)
    assert status(await reader.readuntil(b"\r\n\r\n")) == 200
    writer.close()


async def test_export_that_is_not_read_gives_its_snapshot_back(
    address: tuple[str, int], face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back = asyncio.Event()

    async def endless(_search: object, form: Callable[..., bytes]) -> AsyncIterator[bytes]:
        rows = [(face.store.transaction_, face.store.order_)] * 1000
        try:
            while True:
                yield form(TransactionColumns.of(rows))
        finally:
            given_back.set()

    monkeypatch.setattr(face.store, "export", endless)
    reader, writer = await asyncio.open_connection(*address, limit=1024)
    writer.write(f"GET /export HTTP/1.1\r\nhost: x\r\naccept: text/csv\r\n{OWN}\r\n".encode())
    assert status(await reader.readuntil(b"\r\n\r\n")) == 200
    async with asyncio.timeout(5):
        await given_back.wait()
    writer.close()


async def test_answer_that_is_not_read_does_not_hold_up_the_end(
    server: ApiServer, address: tuple[str, int], face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def large(_search: object, page: PageRequest) -> Page[Order]:
        return Page((face.store.order_,) * 30_000, 30_000, page)

    monkeypatch.setattr(face.store, "orders", large)
    reader, writer = await asyncio.open_connection(*address, limit=1024)
    writer.write(f"GET /orders HTTP/1.1\r\nhost: x\r\n{OWN}\r\n".encode())
    assert status(await reader.readuntil(b"\r\n\r\n")) == 200
    await asyncio.wait_for(server.stop(), 3)
    writer.close()


def test_limit_of_the_system_leaves_room_for_store_and_banks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resource = pytest.importorskip("resource")
    limits = [1_024, 1_024]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(resource, "setrlimit", lambda _, given: limits.__setitem__(0, given[0]))
    assert connections_allowed(4_096) == 512
    limits[1] = 2_000
    assert connections_allowed(4_096) == 1_488
    assert limits[0] == 2_000
    limits[1] = 1_000_000
    assert connections_allowed(4_096) == 4_096
    assert connections_allowed(100) == 100
