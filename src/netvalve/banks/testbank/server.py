"""The bank's end of the link: ISO 8583 messages over TCP, many connections, many in flight on each.

Nothing a peer sends ends the server: a message that cannot be read is dropped, a stream whose
frames are lost is closed.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import cast

from netvalve.banks.iso8583.fields import ImpossibleField, MalformedMessage
from netvalve.banks.iso8583.messages import FrameReader, FramingLost, Message, decode_message
from netvalve.banks.iso8583.specification import MessageType
from netvalve.banks.testbank import rules
from netvalve.banks.testbank.answers import Delivery, delivery, network_answer, refusal
from netvalve.banks.testbank.book import Book
from netvalve.banks.testbank.pace import Pace
from netvalve.banks.testbank.request import FormatError, Request, read_request
from netvalve.banks.testbank.teller import Reply, Teller
from netvalve.group_commit import QueueFull

_IN_FLIGHT_MAX = 4_000
"""Messages of one connection being served; above it no more is read from it."""
_REQUEST_ENDINGS = ("00", "01", "20", "21")

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Traffic:
    """What has come over the link since the start."""

    connections: int = 0
    """Open now."""
    messages: int = 0
    unreadable: int = 0
    """Messages dropped and streams closed because nothing could be made of them."""


class LinkServer:
    """Listens, and serves every connection from one book."""

    def __init__(self, book: Book[Reply], teller: Teller, pace: Pace) -> None:
        self.traffic = Traffic()
        self._book, self._teller, self._pace = book, teller, pace
        self._connections: set[_Connection] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; says on which port, which 0 leaves to the system.

        Raises:
            OSError: the port is taken.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port)
        listening_on: int = self._server.sockets[0].getsockname()[1]
        return listening_on

    async def stop(self) -> None:
        """Take nothing more, finish the messages at hand, close every connection."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.pause()
        while self._serving:
            await asyncio.wait(self._serving)
        for connection in tuple(self._connections):
            connection.close()

    def opened(self, connection: "_Connection") -> None:
        """A peer has connected."""
        self._connections.add(connection)
        self.traffic.connections += 1

    def closed(self, connection: "_Connection") -> None:
        """A peer has gone; what it asked for is booked all the same."""
        self._connections.discard(connection)
        self.traffic.connections -= 1

    def take(self, connection: "_Connection", data: bytes) -> None:
        """Serve one message from a connection."""
        self.traffic.messages += 1
        try:
            message = decode_message(data)
            self._begin(connection, message)
        except (MalformedMessage, ImpossibleField) as error:
            self.traffic.unreadable += 1
            _log.warning("message dropped: %s", error)

    def _begin(self, connection: "_Connection", message: Message) -> None:
        if message.type[2:] not in _REQUEST_ENDINGS:
            raise MalformedMessage("it is no request")
        if message.type == MessageType.NETWORK:
            connection.say(network_answer(message))
            return
        try:
            request = read_request(message)
        except FormatError as error:
            _log.warning("message refused: %s", error)
            connection.say(refusal(message, rules.FORMAT_ERROR))
            return
        connection.began()
        task = asyncio.get_running_loop().create_task(self._serve(connection, message, request))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, connection: "_Connection", message: Message, request: Request) -> None:
        try:
            reply = await self._book.within(lambda ledger: self._teller.serve(ledger, request))
            connection.deliver(delivery(message, reply, self._pace))
        except QueueFull:
            connection.say(refusal(message, rules.SYSTEM_MALFUNCTION))
        except Exception:  # noqa: BLE001  # who cannot book cannot answer; the peer hears silence
            _log.exception("message not booked")
        finally:
            connection.ended()


class _Connection(asyncio.Protocol):
    """One peer: cuts its stream into messages, writes what is delivered."""

    _transport: asyncio.Transport

    def __init__(self, server: LinkServer) -> None:
        self._server = server
        self._frames = FrameReader()
        self._in_flight = 0
        self._peer_is_slow = False
        self._reads_on = True
        self._reading = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._server.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer has gone, or was sent away."""
        del exc
        self._server.closed(self)

    def data_received(self, data: bytes) -> None:
        """Bytes have come, cut anyhow."""
        try:
            for message in self._frames.feed(data):
                self._server.take(self, message)
        except FramingLost as error:
            self._server.traffic.unreadable += 1
            _log.warning("connection closed: %s", error)
            self.close()

    def pause_writing(self) -> None:
        """The peer does not read its answers."""
        self._peer_is_slow = True
        self._read_or_wait()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._peer_is_slow = False
        self._read_or_wait()

    def began(self) -> None:
        """A message is being served."""
        self._in_flight += 1
        self._read_or_wait()

    def ended(self) -> None:
        """A message has been served."""
        self._in_flight -= 1
        self._read_or_wait()

    def say(self, data: bytes) -> None:
        """Write, if the peer is still there."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def deliver(self, what: Delivery) -> None:
        """Write an answer now or after its delay."""
        if what.delay_s > 0:
            asyncio.get_running_loop().call_later(what.delay_s, self._deliver_now, what)
        else:
            self._deliver_now(what)

    def pause(self) -> None:
        """Read nothing more, for good."""
        self._reads_on = False
        self._read_or_wait()

    def close(self) -> None:
        """End the connection once what was written has left."""
        self._transport.close()

    def _deliver_now(self, what: Delivery) -> None:
        for piece in what.pieces:
            self.say(piece)
        if what.cut:
            self.close()

    def _read_or_wait(self) -> None:
        if self._transport.is_closing():
            return
        has_room = self._in_flight < _IN_FLIGHT_MAX and not self._peer_is_slow
        reads = has_room and self._reads_on
        if reads and not self._reading:
            self._transport.resume_reading()
        elif self._reading and not reads:
            self._transport.pause_reading()
        self._reading = reads
