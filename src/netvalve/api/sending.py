"""Sending an answer through ASGI, whole or piece by piece."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Final

from netvalve.api.answers.answer import Answer, Header, StreamedAnswer
from netvalve.api.body import Message, Receive

Send = Callable[[Message], Awaitable[None]]

_ALWAYS: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)
"""On every answer that does not say otherwise."""

CHUNK_BYTES: Final = 65_536


async def send_answer(answer: Answer, send: Send) -> None:
    """Sends a whole answer; to HEAD the server sends its head alone."""
    length = (b"content-length", b"%d" % len(answer.body))
    await _start(answer, send, length)
    await send({"type": "http.response.body", "body": answer.body})


async def stream_answer(
    answer: StreamedAnswer, receive: Receive, send: Send, *, head_only: bool
) -> None:
    """Sends an answer while it is made, in chunks of about 64 KiB; stops when nobody listens.

    Whoever listens and does not read loses the connection, which ends this as well.
    """
    gone = asyncio.create_task(_gone(receive))
    try:
        async with aclosing(answer.chunks) as chunks:
            await _start(answer, send)
            waiting = answer.first
            async for chunk in chunks:
                waiting += chunk
                if gone.done() or head_only:
                    break
                if len(waiting) >= CHUNK_BYTES:
                    await _send_part(send, waiting)
                    waiting = b""
        await send({"type": "http.response.body", "body": waiting})
    finally:
        gone.cancel()


async def _start(answer: Answer | StreamedAnswer, send: Send, *headers: Header) -> None:
    named = {name for name, _ in answer.headers}
    always = (header for header in _ALWAYS if header[0] not in named)
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (b"content-type", answer.content_type),
                *headers,
                *always,
                *answer.headers,
            ],
        }
    )


async def _send_part(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})
    await asyncio.sleep(0)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
