"""Ceiling (a), HTTP alone: the gateway's own server and parser before a handler that does nothing.

    python -m bench.ceilings.http BYTES

It reads each request whole and answers so many bytes, as many as a sale's answer has.
"""

import asyncio
import sys
from typing import Final, cast

import structlog

from bench.orders import say
from netvalve.api.answers.answer import Answer
from netvalve.api.application import Application
from netvalve.api.body import Receive
from netvalve.api.sending import Send, send_answer
from netvalve.api.server import ApiServer
from netvalve.cli.event_loop import run_until_done, stop_on_signals
from netvalve.config import Settings

_FRAME: Final = b'{"responseCode":"GTW_1000","rest":"%s"}'


class _Nothing:
    """An application that does nothing with a request but read and answer it."""

    def __init__(self, answer_bytes: int) -> None:
        self._answer = Answer(200, _FRAME % (b"x" * (answer_bytes - len(_FRAME % b""))))

    async def __call__(self, _scope: object, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body", False):
            pass
        await send_answer(self._answer, send)


async def _serve(answer_bytes: int) -> None:
    application = cast("Application", _Nothing(answer_bytes))
    server = ApiServer(application, Settings(port=0), structlog.get_logger())
    stop = stop_on_signals()
    host, port = await server.start()
    say({"base_url": f"http://{host}:{port}"})
    await stop.wait()
    await asyncio.wait_for(server.stop(), 5)


if __name__ == "__main__":
    run_until_done(_serve(int(sys.argv[1])))
