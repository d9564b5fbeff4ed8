"""So many at a time, each again as soon as it is done: the ceilings that no HTTP load drives."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from itertools import count

from bench.orders import Order


async def closed_loop(
    once: Callable[[int], Awaitable[None]], *, at_once: int, seconds: float
) -> Order:
    """What was done in the time, in how long, and with how much of a core; times of one."""
    numbers, took_ms = count(1), list[float]()
    began_s, began_cpu = time.perf_counter(), time.process_time()
    end_s = began_s + seconds

    async def go_on() -> None:
        while (now_s := time.perf_counter()) < end_s:
            await once(next(numbers))
            took_ms.append((time.perf_counter() - now_s) * 1000)

    await asyncio.gather(*(go_on() for _ in range(at_once)))
    took_s = time.perf_counter() - began_s
    took_ms.sort()
    return {
        "done": len(took_ms),
        "seconds": took_s,
        "cpu_s": time.process_time() - began_cpu,
        "pid": os.getpid(),
        "p50_ms": _percentile(took_ms, 50),
        "p99_ms": _percentile(took_ms, 99),
        "max_ms": took_ms[-1] if took_ms else 0.0,
    }


def _percentile(ordered: list[float], percent: float) -> float:
    return ordered[int((len(ordered) - 1) * percent / 100)] if ordered else 0.0
