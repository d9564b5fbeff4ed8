"""The HTTP server: uvicorn with uvloop's and httptools' speed, and limits of our own."""

import asyncio
import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from structlog.typing import FilteringBoundLogger

from netvalve.api.application import Application
from netvalve.api.descriptors import connections_allowed
from netvalve.api.port import bound_socket
from netvalve.api.protocol import limited_protocol
from netvalve.config import Settings

_BACKLOG = 2048
_KEEP_ALIVE_S = 75
_LAST_ANSWERS_S = 2
"""After the grace, for the answers of requests that could not wait for their end."""


class _QuietServer(uvicorn.Server):
    """Leaves signals to the program that runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


class ApiServer:
    """Listens, and stops only when what it has taken is answered."""

    def __init__(
        self,
        application: Application,
        settings: Settings,
        log: FilteringBoundLogger,
        listener: socket.socket | None = None,
    ) -> None:
        """Takes the port of the settings, unless it is given a bound socket."""
        self._settings, self._log, self._listener = settings, log, listener
        self._server = _QuietServer(
            uvicorn.Config(
                application,
                http=limited_protocol(
                    settings.header_bytes_max, connections_allowed(settings.connections_max), log
                ),
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=math.ceil(settings.shutdown_grace_s) + _LAST_ANSWERS_S,
                backlog=_BACKLOG,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> tuple[str, int]:
        """Listens; the address and the port that it has got.

        Raises:
            OSError: the address cannot be had.
        """
        listener = self._listener or bound_socket(self._settings.host, self._settings.port)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            if self._serving.done():
                self._serving.result()
                raise RuntimeError("the server ended before it began")
            await asyncio.sleep(0.001)
        host, port = listener.getsockname()[:2]
        return host, port

    async def stop(self) -> None:
        """Takes nothing new, answers what is in flight, then ends."""
        if self._serving is None:
            return
        self._server.should_exit = True
        await self._serving
        self._serving = None
