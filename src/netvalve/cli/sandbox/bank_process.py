"""The sandbox's test bank: a process of its own, started and ended with the gateway.

It leads a session of its own, so that Ctrl-C at the terminal reaches the gateway alone, which may
still need the bank's answers. It watches its standard input, whose other end this process holds:
however this process ends, the bank ends too.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import orjson

from netvalve.cli.failure import Failure
from netvalve.config import Settings

_START_S = 20.0
_STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class BankProcess:
    """A test bank that listens."""

    host: str
    port: int
    admin_port: int
    process: asyncio.subprocess.Process

    async def ended(self) -> int:
        """Waits for the process to end; its exit status."""
        return await self.process.wait()


@asynccontextmanager
async def bank_process(settings: Settings) -> AsyncIterator[BankProcess]:
    """Starts the test bank, waits until it listens, and ends it with the block.

    Raises:
        Failure: it did not come up; it has said why on standard error.
    """
    process = await asyncio.create_subprocess_exec(
        *_command(settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield await _listening(process)
    finally:
        await _end(process)


def _command(settings: Settings) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "netvalve.cli", "bank", "--json", "--until-stdin-closes"),
        *("--host", settings.bank_host, "--port", str(settings.bank_port)),
        *("--admin-port", str(settings.bank_admin_port), "--home", str(settings.home)),
    )


async def _listening(process: asyncio.subprocess.Process) -> BankProcess:
    line = b""
    if process.stdout is not None:
        with suppress(TimeoutError):
            line = await asyncio.wait_for(process.stdout.readline(), _START_S)
    if not line:
        raise Failure("the test bank did not start; the line above says why")
    address = orjson.loads(line)
    return BankProcess(address["host"], address["port"], address["admin_port"], process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Closes the bank's standard input, which it takes for a request to finish."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
