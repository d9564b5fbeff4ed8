"""The test bank as a program: the link, the book and the admin in one process."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Final

import uvicorn

from netvalve.banks.testbank.admin import Office, admin_app
from netvalve.banks.testbank.book import Book, card_key
from netvalve.banks.testbank.pace import LATE_S, Pace
from netvalve.banks.testbank.server import LinkServer
from netvalve.banks.testbank.standing_faults import StandingFaults
from netvalve.banks.testbank.statement import Statement
from netvalve.banks.testbank.teller import Reply, Teller

ADMIN_HOST: Final = "127.0.0.1"
_ADMIN_GRACE_S: Final = 2
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


async def serve_test_bank(
    *,
    host: str,
    port: int,
    admin_port: int,
    home: Path,
    ready: Callable[[int, int], None],
    stop: asyncio.Event,
    until_stdin_closes: bool = False,
    late_s: float = LATE_S,
) -> None:
    """Run the bank until `stop` is set, or SIGINT or SIGTERM comes.

    `ready` hears the link's and the admin's real ports once both listen; port 0 takes a free one.
    With `until_stdin_closes` the bank ends with whoever holds the other end of its standard input.
    `home` holds the book and the key of its card digests.

    Raises:
        BookInUse: another bank serves from `home`.
        OSError: a port is taken, or `home` cannot be written.
    """
    faults, pace = StandingFaults(), Pace(late_s=late_s)
    async with _open_book(home) as book:
        teller = Teller(card_key(home), faults, lambda: time.time_ns() // 1_000_000)
        link = LinkServer(book, teller, pace)
        office = Office(Statement(home), faults, pace, link.traffic)
        with _admin_socket(admin_port) as admin_socket, _ended_by(stop, stdin=until_stdin_closes):
            link_port = await link.start(host, port)
            try:
                async with _admin(office, admin_socket):
                    ready(link_port, admin_socket.getsockname()[1])
                    await stop.wait()
            finally:
                await link.stop()


@asynccontextmanager
async def _open_book(home: Path) -> AsyncIterator[Book[Reply]]:
    home.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  # before anything is served
    book = Book[Reply](home)
    book.open()
    try:
        yield book
    finally:
        await book.close()


@contextmanager
def _admin_socket(port: int) -> Iterator[socket.socket]:
    listening = socket.socket()
    with listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((ADMIN_HOST, port))
        listening.listen()
        yield listening


class _AdminServer(uvicorn.Server):
    """Leaves signals to the program."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


@asynccontextmanager
async def _admin(office: Office, listening: socket.socket) -> AsyncIterator[None]:
    server = _AdminServer(
        uvicorn.Config(
            admin_app(office),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_ADMIN_GRACE_S,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="admin")
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@contextmanager
def _ended_by(stop: asyncio.Event, *, stdin: bool) -> Iterator[None]:
    """Sets `stop` on a signal and, where asked for, at the end of standard input."""
    loop = asyncio.get_running_loop()
    for each in _SIGNALS:
        loop.add_signal_handler(each, stop.set)
    if stdin:
        Thread(target=_await_end_of_stdin, args=(loop, stop), daemon=True).start()
    try:
        yield
    finally:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)


def _await_end_of_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Drops what comes until nothing can come any more."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    with suppress(RuntimeError):  # the bank may have ended before
        loop.call_soon_threadsafe(stop.set)
