"""A gateway's door: the HTTP application called directly, without the bytes of HTTP.

A request that has come in is answered by the gateway's machine, or by nobody: its death is seen
by who waits.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any

from netvalve.api.application import Application
from netvalve.simulation.machine import Machine


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a merchant sends it."""

    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    query: bytes = b""
    body: bytes = b""


@dataclass(slots=True)
class Answered:
    """An answer as it leaves the gateway."""

    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


Hear = Callable[[Answered | None], None]
"""Hears the answer; None where the connection broke."""


@dataclass(slots=True)
class _Exchange:
    asked: Asked
    answer: Answered = field(default_factory=Answered)

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self.asked.body, "more_body": False}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.answer.status = message["status"]
            self.answer.headers = tuple(message["headers"])
        else:
            self.answer.body += message.get("body", b"")


class Door:
    """Takes requests for one run of a gateway."""

    def __init__(self, machine: Machine, application: Application, world: Context) -> None:
        self._machine, self._application, self._world = machine, application, world
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, Hear] = {}
        self._last = 0
        self._idle, self._asked = asyncio.Event(), asyncio.Event()
        self.open = False
        machine.when_dead(self._died)

    async def start(self) -> tuple[str, int]:
        """Take requests."""
        self.open = True
        return self._machine.name, 80

    async def stop(self) -> None:
        """Take no more; return when what was taken has been answered."""
        self.open = False
        while self._waiting:
            self._idle.clear()
            await self._idle.wait()

    async def next_request(self) -> None:
        """Wait until somebody asks."""
        self._asked.clear()
        await self._asked.wait()

    def ask(self, asked: Asked, hear: Hear) -> None:
        """Hand a request in."""
        self._asked.set()
        if not self.open:
            self._loop.call_soon(hear, None, context=self._world)
            return
        self._last += 1
        self._waiting[self._last] = hear
        self._loop.call_soon(self._begin, asked, self._last, context=self._machine.context)

    def _begin(self, asked: Asked, number: int) -> None:
        self._loop.create_task(self._serve(asked, number))

    async def _serve(self, asked: Asked, number: int) -> None:
        exchange = _Exchange(asked)
        scope = {
            "type": "http",
            "method": asked.method,
            "path": asked.path,
            "headers": list(asked.headers),
            "query_string": asked.query,
        }
        await self._application(scope, exchange.receive, exchange.send)
        hear = self._waiting.pop(number)
        whole = exchange.answer if exchange.answer.status else None
        self._loop.call_soon(hear, whole, context=self._world)
        if not self._waiting:
            self._idle.set()

    def _died(self) -> None:
        self.open = False
        for hear in self._waiting.values():
            self._loop.call_soon(hear, None, context=self._world)
        self._waiting.clear()
