"""A program of the run takes its orders line by line, and answers each with one."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

Order = dict[str, Any]


def say(what: Order) -> None:
    """One line to whoever started this program."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def take_orders(obey: Callable[[Order], Awaitable[Order]]) -> None:
    """Obey until whoever started this program is gone."""
    orders = asyncio.StreamReader()
    pipe = asyncio.StreamReaderProtocol(orders)
    await asyncio.get_running_loop().connect_read_pipe(lambda: pipe, sys.stdin)
    while line := await orders.readline():
        say(await obey(json.loads(line)))
