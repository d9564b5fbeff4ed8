"""A bank at the other end of a real socket that does what a test's script tells it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self, cast

from netvalve.banks.iso8583.messages import (
    FrameReader,
    Message,
    decode_message,
    encode_message,
    frame,
)
from netvalve.banks.iso8583.specification import ECHOED, NetworkCode, Tag, answer_type

Script = Callable[["PeerConnection", Message], None]


def answer_bytes(request: Message, **changes: str) -> bytes:
    """An approval's frame; `f37="…"` changes field 37, an empty value leaves it out."""
    fields = {number: request.fields[number] for number in ECHOED if number in request.fields}
    fields |= {"t": answer_type(request.type), "38": "TAS390", "39": "00"}
    fields |= {name.removeprefix("f"): value for name, value in changes.items()}
    tags = {Tag.TEST_BANK: "1"} if request.type == "0800" else {}
    return frame(encode_message({key: value for key, value in fields.items() if value}, tags))


def approve(connection: "PeerConnection", request: Message) -> None:
    connection.answer(request)


def ignore(_connection: "PeerConnection", _request: Message) -> None:
    """Hears and says nothing."""


def cut(connection: "PeerConnection", _request: Message) -> None:
    connection.transport.abort()


class PeerConnection(asyncio.Protocol):
    """One connection as the bank sees it."""

    transport: asyncio.Transport

    def __init__(self, peer: "ScriptedPeer") -> None:
        self._peer = peer
        self._frames = FrameReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._peer.connections.append(self)

    def data_received(self, data: bytes) -> None:
        for each in self._frames.feed(data):
            message = decode_message(each)
            self._peer.heard.append(message)
            self._peer.scripts.get(message.fields.get("70", "payment"), approve)(self, message)

    def connection_lost(self, _: Exception | None) -> None:
        self._peer.connections.remove(self)

    def answer(self, request: Message, **changes: str) -> None:
        self.transport.write(answer_bytes(request, **changes))


@dataclass
class ScriptedPeer:
    """Listens on a free port of the loopback; a script per network code, and one for payments."""

    payment: Script = approve
    sign_on: Script = approve
    echo: Script = approve
    sign_off: Script = approve
    port: int = 0
    connections: list[PeerConnection] = field(default_factory=list)
    heard: list[Message] = field(default_factory=list)
    _server: asyncio.Server | None = None

    @property
    def scripts(self) -> dict[str, Script]:
        return {
            "payment": self.payment,
            NetworkCode.SIGN_ON: self.sign_on,
            NetworkCode.ECHO: self.echo,
            NetworkCode.SIGN_OFF: self.sign_off,
        }

    @property
    def payments(self) -> list[Message]:
        return [message for message in self.heard if message.type != "0800"]

    @property
    def network_codes(self) -> list[str]:
        return [message.fields["70"] for message in self.heard if message.type == "0800"]

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: PeerConnection(self), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in tuple(self.connections):
            connection.transport.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0)
