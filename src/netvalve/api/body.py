"""Reading a request's body: whole, within limits of size and time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

WHOLE_WITHIN_S: Final = 10.0
"""A body that takes longer is given up: whoever sends it byte by byte holds a place in vain."""


class BodyTooLarge(Exception):
    """More bytes than are taken; the rest is not read."""


class BodyTooSlow(Exception):
    """Not whole in time."""


class ClientGone(Exception):
    """Nobody is there to be answered."""


async def whole_body(
    headers: Iterable[tuple[bytes, bytes]], receive: Receive, bytes_max: int
) -> bytes:
    """The body.

    Raises:
        BodyTooLarge: announced or found to be larger than `bytes_max`.
        BodyTooSlow: not whole within `WHOLE_WITHIN_S`.
        ClientGone: the connection was lost.
    """
    for name, value in headers:
        if name == b"content-length" and int(value) > bytes_max:
            raise BodyTooLarge
    try:
        async with asyncio.timeout(WHOLE_WITHIN_S):
            return await _joined(receive, bytes_max)
    except TimeoutError:
        raise BodyTooSlow from None


async def _joined(receive: Receive, bytes_max: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > bytes_max:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return bytes(body)
