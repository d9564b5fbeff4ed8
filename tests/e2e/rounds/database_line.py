"""The line between a gateway and its database: it cuts, swallows, and lets nobody through."""

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from e2e.rounds.proxy import Way

_PIECE_BYTES = 65_536


class DatabaseLine:
    """Passes bytes on, and ends, until it is told otherwise."""

    def __init__(self, database_url: str) -> None:
        self._parts = urlsplit(database_url)
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self._gateway_ends: set[asyncio.StreamWriter] = set()
        self._database_ends: set[asyncio.StreamWriter] = set()
        self.lost: Way | None = None
        """What goes this way vanishes, and no end hears of it."""
        self.refuses = False
        """A new connection is closed at once."""

    @property
    def url(self) -> str:
        """The database's address by this line."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        user, _, _ = self._parts.netloc.rpartition("@")
        return self._parts._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()

    def cut(self, *, database_hears: bool) -> None:
        """The gateway's ends break; the database's ends too, or they stay as if nothing had been.

        What was lost until now is lost for ever; what is sent from now on arrives.
        """
        ends = [*self._gateway_ends, *(self._database_ends if database_hears else ())]
        self._gateway_ends.clear()
        for end in ends:
            end.transport.abort()
        self.lost = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)
        for end in (*self._gateway_ends, *self._database_ends):
            end.transport.abort()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        try:
            if not self.refuses:
                await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the database is away, or the line is taken down: the gateway hears it
        finally:
            self._lines.discard(line)
            self._gateway_ends.discard(writer)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        database_reader, database_writer = await asyncio.open_connection(
            self._parts.hostname, self._parts.port
        )
        self._gateway_ends.add(writer)
        self._database_ends.add(database_writer)
        requests = asyncio.create_task(self._pass_on(Way.REQUEST, reader, database_writer))
        answers = asyncio.create_task(self._pass_on(Way.ANSWER, database_reader, writer))
        try:
            await asyncio.wait((requests, answers), return_when=asyncio.FIRST_COMPLETED)
        finally:
            requests.cancel()
            answers.cancel()
            await asyncio.gather(requests, answers, return_exceptions=True)
            if writer in self._gateway_ends:  # ended by itself; after a cut the database waits on
                self._database_ends.discard(database_writer)
                database_writer.transport.abort()

    async def _pass_on(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE_BYTES):
                if self.lost is not way:
                    writer.write(piece)
                    await writer.drain()
