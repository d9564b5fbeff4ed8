"""One run: a seed's world lives, is judged and is cleaned up."""

import gc
import logging
import shutil
import sys
import warnings
from pathlib import Path

from netvalve.simulation.checks import broken
from netvalve.simulation.disk import simulated_disks
from netvalve.simulation.loop import VirtualLoop
from netvalve.simulation.making import made
from netvalve.simulation.premises import new_folder
from netvalve.simulation.report import Report
from netvalve.simulation.weather import Climate
from netvalve.simulation.world import World


def simulate(seed: int, hours: float, climate: Climate | None = None) -> Report:
    """Run one seed to its verdict. The same seed and hours give the same report, to the byte.

    A climate stands in for the seed's own, where one kind of storm is wanted.

    The collector waits until the end: what it cleans up, and when, is nobody's decision.
    """
    collects = gc.isenabled()
    gc.disable()
    unraisable, sys.unraisablehook = sys.unraisablehook, _untold
    try:
        with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
            report = _report(seed, hours, climate)
            gc.collect()  # what was never awaited is thrown away here
        return report
    finally:
        sys.unraisablehook = unraisable
        if collects:
            gc.enable()


def _untold(_unraisable: object) -> None:
    """What cleaning up after a killed machine raises is nobody's concern."""


def _report(seed: int, hours: float, climate: Climate | None) -> Report:
    home = new_folder()
    loop = VirtualLoop()
    logging.disable(logging.CRITICAL)  # what libraries say; the gateway's own log is kept
    try:
        with simulated_disks():
            world = loop.run_until_complete(_lived(seed, hours, climate, home, loop))
            report = Report.of(world, broken(world.evidence))
            loop.end()
            for machine in world.machines():
                machine.dissolve()
            return report
    finally:
        loop.end()
        loop.close()
        logging.disable(logging.NOTSET)
        shutil.rmtree(home, ignore_errors=True)


async def _lived(
    seed: int, hours: float, climate: Climate | None, home: Path, loop: VirtualLoop
) -> World:
    world = made(seed, hours, climate, home, loop)
    await world.live()
    return world
