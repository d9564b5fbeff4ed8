"""`python -m netvalve.cli.worker`: one gateway of the several of `netvalve serve --workers`."""

import asyncio
import os
import socket
import sys
from pathlib import Path

from netvalve.bootstrap import serve
from netvalve.cli.event_loop import run_until_done, stop_on_signals
from netvalve.cli.failure import failure_of
from netvalve.config import Settings
from netvalve.telemetry.shared_metrics import SharedMetrics
from netvalve.workers.duty import Duty, Word, say


def run() -> None:
    """Does its duty until a signal comes or the supervisor is gone; status 1 where it failed."""
    try:
        run_until_done(_work(Duty.read(sys.stdin.buffer)))
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        say(Word.FAILED, str(failure))
        sys.exit(1)


async def _work(duty: Duty) -> None:
    stop = stop_on_signals()
    _end_with_supervisor(stop)
    metrics = SharedMetrics(Path(duty.metrics), duty.slot)
    beside = (
        asyncio.create_task(_say_the_end(stop)),
        asyncio.create_task(metrics.count_dropped_lines()),
    )
    await serve(
        Settings.model_validate(duty.settings),
        sandbox=False,
        started=lambda _: say(Word.LISTENING),
        stop=stop,
        listener=socket.socket(fileno=duty.listener),
        metrics=metrics,
    )
    for task in beside:
        task.cancel()


async def _say_the_end(stop: asyncio.Event) -> None:
    await stop.wait()
    say(Word.ENDING)


def _end_with_supervisor(stop: asyncio.Event) -> None:
    """Where standard input ends the supervisor has; what was taken is finished all the same."""
    loop = asyncio.get_running_loop()
    stdin = sys.stdin.fileno()

    def heard() -> None:
        if not os.read(stdin, 1024):
            loop.remove_reader(stdin)
            stop.set()

    loop.add_reader(stdin, heard)


if __name__ == "__main__":
    run()
