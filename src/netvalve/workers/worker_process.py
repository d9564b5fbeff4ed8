"""One worker, from its supervisor's view."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from netvalve.workers.duty import Duty, Word, heard


class WorkerFailed(Exception):
    """A worker has ended, or could not be made, before it listened; the message says why."""


class WorkerProcess:
    """A fresh process in a session of its own: Ctrl-C reaches the supervisor alone."""

    def __init__(self, process: Process) -> None:
        self._process, self._listens = process, False
        self.failure: str | None = None
        """What it has said of why it ends."""

    @classmethod
    async def start(cls, command: Sequence[str], duty: Duty, *, inherits: Sequence[int]) -> Self:
        """Starts one, which then has its duty.

        Raises:
            WorkerFailed: the system makes no process.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, pass_fds=inherits, start_new_session=True
            )
        except OSError as error:
            raise WorkerFailed(f"no process can be made: {error}") from error
        if process.stdin is not None:
            process.stdin.write(duty.line())
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    async def word(self) -> Word | None:
        """Waits for what it says next; None once it can say nothing more."""
        line = await self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            return None
        word, why = heard(line)
        if word is Word.FAILED:
            self.failure = why
        return word

    async def listening(self) -> None:
        """Waits until it takes requests.

        Raises:
            WorkerFailed: it ended before.
        """
        while word := await self.word():
            if word is Word.LISTENING:
                self._listens = True
                return
        status = await self.ended()
        raise WorkerFailed(
            self.failure
            or f"a worker ended with status {status} before it listened; the lines above say why"
        )

    async def ended(self) -> int:
        """Waits for its end; its status, below zero the signal that killed it."""
        return await self._process.wait()

    async def end(self, within_s: float) -> bool:
        """Tells it to finish, and kills it after that time; whether it left nothing unfinished.

        One that has not listened yet has taken nothing.
        """
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(within_s):
                return await self.ended() == 0 or not self._listens
        except TimeoutError:
            self._process.kill()
            await self.ended()
            return not self._listens
