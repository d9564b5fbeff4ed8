"""The line between gateway and bank: a TCP proxy that knows where a message begins and ends.

It cuts, resets, swallows, delays and stands still on demand; what it passes on, it passes unread.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

_HEADER_BYTES = 2
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Way(Enum):
    """Which way a message goes."""

    REQUEST = "request"
    """To the bank."""
    ANSWER = "answer"
    """To the gateway."""


class End(Enum):
    """What becomes of a connection after a message."""

    STAYS = "stays"
    CLOSED = "closed"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to one message."""

    share: float = 1.0
    """How much of it arrives: 0 nothing, 1 all, between them at least a byte and never all."""
    delay_s: float = 0.0
    end: End = End.STAYS

    def piece_of(self, frame: bytes) -> bytes:
        """The bytes that arrive."""
        if self.share in {0.0, 1.0}:
            return frame if self.share else b""
        return frame[: min(max(int(len(frame) * self.share), 1), len(frame) - 1)]


UNHARMED = Fate()


class Proxy:
    """Listens for the gateway and connects to the bank; one fate for every message."""

    def __init__(self, bank_port: Callable[[], int]) -> None:
        self._bank_port = bank_port
        self.fate_of: Callable[[Way], Fate] = lambda _way: UNHARMED
        self.flows = asyncio.Event()
        """Cleared, nothing moves in either direction, and nobody is told."""
        self.flows.set()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End every connection."""
        if self._server is not None:
            self._server.close()
        for line in tuple(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the bank is away, or the proxy stops: the gateway's connection ends
        finally:
            self._lines.discard(line)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bank_reader, bank_writer = await asyncio.open_connection("127.0.0.1", self._bank_port())
        try:
            ways = (
                asyncio.create_task(self._pass_on(Way.REQUEST, reader, bank_writer)),
                asyncio.create_task(self._pass_on(Way.ANSWER, bank_reader, writer)),
            )
            try:
                done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                end = next(iter(done)).result()
                await _close((writer, bank_writer), end)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            bank_writer.transport.abort()

    async def _pass_on(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> End:
        """Pass on message by message until one of them ends the connection."""
        try:
            while True:
                header = await reader.readexactly(_HEADER_BYTES)
                frame = header + await reader.readexactly(int.from_bytes(header, "big"))
                fate = self.fate_of(way)
                await asyncio.sleep(fate.delay_s)
                await self.flows.wait()
                writer.write(fate.piece_of(frame))
                await writer.drain()
                if fate.end is not End.STAYS:
                    return fate.end
        except (OSError, EOFError):
            return End.CLOSED


async def _close(writers: tuple[asyncio.StreamWriter, ...], end: End) -> None:
    """Close both sides: in good order, what was written first; or with a reset."""
    for writer in writers:
        if end is End.RESET:
            own: socket.socket = writer.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()
        else:
            writer.close()
    for writer in writers:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()
