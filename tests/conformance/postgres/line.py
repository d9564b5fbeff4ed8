"""The line between a gateway and its database: it withholds, cuts, and delivers late."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Line:
    """Passes bytes on in both directions until it is told otherwise."""

    def __init__(self, database_url: str) -> None:
        self._parts = urlsplit(database_url)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: set[asyncio.StreamWriter] = set()
        self._upstream: set[asyncio.StreamWriter] = set()
        self._withheld: list[tuple[asyncio.StreamWriter, bytes]] = []
        self.withholds_requests = False
        """What the gateway sends stays here, until `deliver`."""
        self.swallows_answers = False
        """What the database answers is lost."""
        self.refuses = False
        """A new connection is closed at once."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        for writer in self._upstream:
            writer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """The database's address through this line."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        user, _, _ = self._parts.netloc.rpartition("@")
        return self._parts._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()

    def cut(self) -> None:
        """Every gateway's end breaks; the database's ends stay, as behind a dead router."""
        for writer in self._clients:
            writer.transport.abort()
        self._clients.clear()

    async def deliver(self) -> None:
        """What was withheld reaches the database now, whoever has gone meanwhile."""
        self.withholds_requests = False
        for writer, data in self._withheld:
            writer.write(data)
            await writer.drain()
        self._withheld.clear()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.transport.abort()
            return
        host, port = self._parts.hostname, self._parts.port
        upstream_reader, upstream = await asyncio.open_connection(host, port)
        self._clients.add(writer)
        self._upstream.add(upstream)
        self._carry(reader, self._requests_to(upstream))
        self._carry(upstream_reader, self._answers_to(writer))

    def _requests_to(self, upstream: asyncio.StreamWriter) -> Callable[[bytes], Awaitable[None]]:
        async def carry(data: bytes) -> None:
            if self.withholds_requests:
                self._withheld.append((upstream, data))
            elif data:
                upstream.write(data)

        return carry

    def _answers_to(self, writer: asyncio.StreamWriter) -> Callable[[bytes], Awaitable[None]]:
        async def carry(data: bytes) -> None:
            if not self.swallows_answers and not writer.is_closing():
                writer.write(data)

        return carry

    def _carry(
        self, reader: asyncio.StreamReader, onward: Callable[[bytes], Awaitable[None]]
    ) -> None:
        async def run() -> None:
            with suppress(OSError):
                while data := await reader.read(65536):
                    await onward(data)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
