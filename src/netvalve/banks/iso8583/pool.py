"""The connections to one bank: kept up, taken in turn, waited for when all are down."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from structlog.typing import FilteringBoundLogger

from netvalve.banks.iso8583.backoff import Backoff
from netvalve.banks.iso8583.connection import Connection

CONNECT_S: Final = 5.0
"""How long a connection may take to be made."""


class Pool:
    """Keeps a number of connections up until it is closed."""

    def __init__(
        self,
        address: tuple[str, int],
        size: int,
        connection: Callable[[], Connection],
        backoff: Callable[[], Backoff],
        log: FilteringBoundLogger,
    ) -> None:
        self._address = address
        self._size = size
        self._connection = connection
        self._backoff = backoff
        self._log = log
        self._open: deque[Connection] = deque()
        self._keepers: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self._closed = False
        self._told_unreachable = False

    @property
    def ready(self) -> bool:
        """Whether any connection would take a message now."""
        return any(connection.ready for connection in self._open)

    def start(self) -> None:
        """Begins to connect, in the background."""
        self._keepers = [asyncio.create_task(self._keep_connected()) for _ in range(self._size)]

    def readiness_changed(self) -> None:
        """Wakes who waits for a connection."""
        self._changed.set()
        self._changed = asyncio.Event()

    def next_ready(self) -> Connection | None:
        """The next ready connection in turn."""
        for _ in range(len(self._open)):
            connection = self._open[0]
            self._open.rotate(-1)
            if connection.ready:
                return connection
        return None

    async def wait_ready(self, seconds: float) -> Connection | None:
        """The next ready connection, waiting for one to become so."""
        try:
            async with asyncio.timeout(seconds):
                while not self._closed:
                    if connection := self.next_ready():
                        return connection
                    await self._changed.wait()
        except TimeoutError:
            pass
        return None

    async def close(self) -> None:
        """Signs off and ends every connection; none comes back."""
        self._closed = True
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self.readiness_changed()
        for connection in self._open:
            connection.sign_off()
        if self._open:
            await asyncio.wait([connection.lost for connection in self._open])
        self._open.clear()

    async def _keep_connected(self) -> None:
        backoff = self._backoff()
        while True:
            connection = await self._connect()
            if connection is not None:
                self._open.append(connection)
                self.readiness_changed()  # it may have signed on before it was here
                reason = await asyncio.shield(connection.lost)
                self._open.remove(connection)
                self._log.warning("bank_connection_lost", reason=reason)
                if connection.was_ready:
                    backoff.reset()
            await asyncio.sleep(backoff.next_s())

    async def _connect(self) -> Connection | None:
        host, port = self._address
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                _, connection = await loop.create_connection(self._connection, host, port)
        except (OSError, ValueError, OverflowError) as error:
            tell = self._log.debug if self._told_unreachable else self._log.warning
            tell("bank_unreachable", reason=type(error).__name__)
            self._told_unreachable = True
            return None
        self._told_unreachable = False
        return connection
