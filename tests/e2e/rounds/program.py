"""One `netvalve` command as a process of its own: started, killed, stalled, started again."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

START_S = 30.0
STOP_S = 60.0


class Program:
    """A command that says in one line of JSON where it listens."""

    def __init__(self, *command: str, environment: Mapping[str, str], log: Path) -> None:
        self._command, self.environment, self.log = command, dict(environment), log
        self._process: asyncio.subprocess.Process | None = None
        self.ended_by_itself: list[int] = []
        """Exit statuses of runs that nobody had ended."""

    @property
    def name(self) -> str:
        """What it is."""
        return self._command[0]

    @property
    def pid(self) -> int:
        """The process as it runs now."""
        if self._process is None:
            raise RuntimeError(f"{self._command[0]} does not run")
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it is there, stalled or not."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> Mapping[str, Any]:
        """Start it and wait until it listens; what it says of itself.

        Raises:
            RuntimeError: it ended, or said nothing for half a minute.
        """
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "netvalve.cli", *self._command, "--json"),
                env=self.environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        line = b""
        async with asyncio.timeout(START_S):
            line = await self._process.stdout.readline()
        if not line:
            status = await self._reaped()
            said = self.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self._command[0]} ended with status {status}:\n{said}")
        facts: Mapping[str, Any] = json.loads(line)
        return facts

    async def end(self, signal_number: int) -> int:
        """Send a signal that ends it, and wait; the exit status, negative for a signal."""
        if self._process is None:
            raise RuntimeError(f"{self._command[0]} does not run")
        if self._process.returncode is None:
            self._process.send_signal(signal_number)
        else:
            self.ended_by_itself.append(self._process.returncode)
        return await self._reaped()

    async def kill(self) -> None:
        """End it as a power cut does; nothing where it does not run."""
        if self._process is not None:
            await self.end(signal.SIGKILL)

    def stall(self) -> None:
        """Let it stand still in the middle of whatever it does."""
        os.kill(self.pid, signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on as if no time had passed."""
        os.kill(self.pid, signal.SIGCONT)

    async def _reaped(self) -> int:
        process, self._process = self._process, None
        assert process is not None
        assert process.stdout is not None
        async with asyncio.timeout(STOP_S):
            await process.stdout.read()
            return await process.wait()
