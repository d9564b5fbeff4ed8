"""A transport that gathers: what is written within one turn of the event loop leaves in one piece.

A send costs the same for a message of two hundred bytes and for twenty of them; and a reader is
woken once for each. Knows no message, only bytes.
"""

import asyncio
from typing import Any


class GatheringTransport:
    """Stands in for a connection's transport, towards whom that writes to it."""

    __slots__ = ("_loop", "_parts", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        """All else is the transport's own."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Take what is to be sent, in this order, when the turn is over."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def is_closing(self) -> bool:
        """Whether the connection is at its end."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Send what was taken, then close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once and send nothing more."""
        self._parts.clear()
        self._transport.abort()

    def _flush(self) -> None:
        parts = self._parts
        if parts:
            self._transport.write(parts[0] if len(parts) == 1 else b"".join(parts))
            parts.clear()
