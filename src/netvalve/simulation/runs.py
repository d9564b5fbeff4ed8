"""Many seeds, on as many processes as there are processors."""

import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count, islice
from typing import Final

from netvalve.simulation.report import Report
from netvalve.simulation.run import simulate

HOURS: Final = 0.2
"""The storm of a run that nobody says more of: about a second of work."""
_RUNS_OF_A_PROCESS: Final = 25
"""Killed gateways leave files open; a process that ends gives them back."""


def run_seeds(
    first: int, seeds: int | None, hours: float, minutes: float | None = None
) -> Iterator[Report]:
    """Reports as they come in: of so many seeds, or of as many as begin within the minutes."""
    end_s = None if minutes is None else time.monotonic() + minutes * 60
    waiting = iter(count(first)) if seeds is None else iter(range(first, first + seeds))
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        max_tasks_per_child=_RUNS_OF_A_PROCESS,
    ) as pool:
        running = {pool.submit(simulate, seed, hours) for seed in islice(waiting, 2 * workers)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from _reports(done)
            if end_s is None or time.monotonic() < end_s:
                running |= {
                    pool.submit(simulate, seed, hours) for seed in islice(waiting, len(done))
                }


def _reports(done: set[Future[Report]]) -> list[Report]:
    return sorted((each.result() for each in done), key=lambda report: report.seed)
