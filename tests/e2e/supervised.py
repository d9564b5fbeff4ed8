"""`python supervised.py`: a supervisor whose workers are no gateways, and do what they are asked.

A worker answers every request with its process' number. `/slow` takes a second, `/log` logs much,
`/count` counts a request, `/metrics` tells what all have counted, `/end` ends it as by itself.
The file that the variable MOOD names says how a worker starts.
"""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import typer

from netvalve.config import Settings
from netvalve.telemetry.logs import configure_logs
from netvalve.telemetry.shared_metrics import SharedMetrics
from netvalve.workers import supervisor
from netvalve.workers.duty import Duty, Word, say
from netvalve.workers.worker_process import WorkerFailed

LINES = 2_000
AFTER_GRACE_S = 1.0
"""For workers that do not end: shorter than a gateway's, so that a test need not wait."""


def mood() -> str:
    """How the workers that start now are to behave."""
    return Path(os.environ["MOOD"]).read_text()


async def supervise() -> int:
    supervisor._AFTER_GRACE_S = AFTER_GRACE_S
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    try:
        finished = await supervisor.supervise(
            Settings(),
            command=(sys.executable, __file__, "worker"),
            started=lambda _, port: typer.echo(port),
            stop=stop,
        )
    except WorkerFailed as failed:
        sys.exit(f"failed: {failed}")
    return 0 if finished else 1


async def work() -> None:
    duty = Duty.read(sys.stdin.buffer)
    settings = Settings.model_validate(duty.settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(sys.stdin.fileno(), lambda: (loop.remove_reader(0), stop.set()))
    match mood():
        case "fails":
            say(Word.FAILED, "the store is\nshut")
            sys.exit(1)
        case "silent":
            os._exit(7)
        case "one fails" if duty.slot == 1:
            os._exit(7)
        case "short" if duty.slot == 0:
            loop.call_later(0.2, os._exit, 7)
        case "stubborn":
            loop.add_signal_handler(signal.SIGTERM, lambda: None)
    worker = Worker(settings, SharedMetrics(Path(duty.metrics), duty.slot))
    server = await asyncio.start_server(worker.talk, sock=socket.socket(fileno=duty.listener))
    worker.metrics.listening()
    say(Word.LISTENING)
    await stop.wait()
    say(Word.ENDING)
    server.close()
    await asyncio.gather(*worker.talks)


class Worker:
    """Answers one request a connection."""

    def __init__(self, settings: Settings, metrics: SharedMetrics) -> None:
        self.metrics = metrics
        self.log = configure_logs(settings, shared=True)
        self.talks: set[asyncio.Task[None] | None] = set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks.add(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        body = await self.answer(head.split()[1].decode())
        writer.write(b"HTTP/1.0 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()
        self.talks.discard(asyncio.current_task())

    async def answer(self, path: str) -> bytes:
        match path:
            case "/slow":
                await asyncio.sleep(1)
            case "/log":
                for number in range(LINES):
                    self.log.info("said", number=number)
            case "/count":
                self.metrics.request("sale", 200, 0.01)
            case "/metrics":
                return await self.metrics.render()
            case "/end":
                os.kill(os.getpid(), signal.SIGTERM)
        return str(os.getpid()).encode()


if __name__ == "__main__":
    sys.exit(asyncio.run(work() if sys.argv[1:] else supervise()))
